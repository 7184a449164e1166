/* SPDX-License-Identifier: MIT */
/* Error numbers; calls return them negated. XEN_ERRNO_LIST(f) is f(EPERM, 1) ... for tables. */
#ifndef PVABI_ERRNO_H
#define PVABI_ERRNO_H

/* clang-format off */
#define XEN_ERRNO_LIST(f) \
    f(EPERM, 1) f(ENOENT, 2) f(ESRCH, 3) f(EIO, 5) f(ENXIO, 6) f(E2BIG, 7) \
    f(ENOEXEC, 8) f(EBADF, 9) f(ECHILD, 10) f(EAGAIN, 11) f(ENOMEM, 12) f(EACCES, 13) \
    f(EFAULT, 14) f(EBUSY, 16) f(EEXIST, 17) f(EXDEV, 18) f(ENODEV, 19) f(ENOTDIR, 20) \
    f(EISDIR, 21) f(EINVAL, 22) f(ENFILE, 23) f(EMFILE, 24) f(ENOSPC, 28) f(EROFS, 30) \
    f(EMLINK, 31) f(EDOM, 33) f(ERANGE, 34) f(EDEADLK, 35) f(ENAMETOOLONG, 36) \
    f(ENOLCK, 37) f(ENOSYS, 38) f(ENOTEMPTY, 39) f(ENODATA, 61) f(ETIME, 62) \
    f(EBADMSG, 74) f(EOVERFLOW, 75) f(EILSEQ, 84) f(ENOTSOCK, 88) f(EMSGSIZE, 90) \
    f(EOPNOTSUPP, 95) f(EADDRINUSE, 98) f(EADDRNOTAVAIL, 99) f(ENOBUFS, 105) \
    f(EISCONN, 106) f(ENOTCONN, 107) f(ETIMEDOUT, 110) f(ECONNREFUSED, 111)

#define PVABI_ERRNO_ENUM(name, value) XEN_##name = value,
enum xen_errno {
    XEN_ERRNO_LIST(PVABI_ERRNO_ENUM)
    XEN_EWOULDBLOCK = XEN_EAGAIN,
    XEN_EDEADLOCK = XEN_EDEADLK,
};
#undef PVABI_ERRNO_ENUM
/* clang-format on */

#endif
