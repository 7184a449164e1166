/* SPDX-License-Identifier: MIT */
/* TAP devices: made, configured, put into bridges. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "tap.h"

int tap_open(const char *name)
{
    struct ifreq request;
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0) {
        log_say(LOG_ERROR, "/dev/net/tun cannot be opened: %s", strerror(errno));
        return -1;
    }
    memset(&request, 0, sizeof(request));
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE;
    if (ioctl(fd, TUNSETIFF, &request)) {
        log_say(LOG_ERROR, "the TAP device %s cannot be had: %s", name, strerror(errno));
        close(fd);
        return -1;
    }
    tap_keep(fd, true);
    return fd;
}

bool tap_offload(int fd, bool checksums, bool tcp4, bool tcp6)
{
    unsigned flags = 0;

    if (checksums)
        flags = TUN_F_CSUM | (tcp4 ? TUN_F_TSO4 : 0) | (tcp6 ? TUN_F_TSO6 : 0);
    return !ioctl(fd, TUNSETOFFLOAD, flags);
}

void tap_keep(int fd, bool keep)
{
    ioctl(fd, TUNSETPERSIST, keep);
}

static bool configure(int control, const char *name, unsigned mtu)
{
    struct ifreq request;

    memset(&request, 0, sizeof(request));
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    if (ioctl(control, SIOCGIFFLAGS, &request))
        return false;
    if (!(request.ifr_flags & IFF_UP)) {
        /* The address that lets a bridge keep its own, as it takes the lowest of its ports. */
        request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
        memcpy(request.ifr_hwaddr.sa_data, "\xfe\xff\xff\xff\xff\xff", 6);
        if (ioctl(control, SIOCSIFHWADDR, &request))
            log_say(LOG_WARNING, "%s keeps its address: %s", name, strerror(errno));
    }
    if (mtu) {
        request.ifr_mtu = (int)mtu;
        if (ioctl(control, SIOCSIFMTU, &request))
            return false;
    }
    if (ioctl(control, SIOCGIFFLAGS, &request))
        return false;
    request.ifr_flags |= IFF_UP;
    return !ioctl(control, SIOCSIFFLAGS, &request);
}

static bool enslave(int control, const char *name, const char *bridge)
{
    struct ifreq request;

    memset(&request, 0, sizeof(request));
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", bridge);
    request.ifr_ifindex = (int)if_nametoindex(name);
    return request.ifr_ifindex && (!ioctl(control, SIOCBRADDIF, &request) || errno == EBUSY);
}

bool tap_up(const char *name, unsigned mtu)
{
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = control >= 0 && configure(control, name, mtu);

    if (!ok)
        log_say(LOG_ERROR, "%s cannot be set up: %s", name, strerror(errno));
    if (control >= 0)
        close(control);
    return ok;
}

bool tap_join(const char *name, const char *bridge)
{
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = control >= 0 && enslave(control, name, bridge);

    if (!ok)
        log_say(LOG_ERROR, "%s cannot join %s: %s", name, bridge, strerror(errno));
    if (control >= 0)
        close(control);
    return ok;
}
