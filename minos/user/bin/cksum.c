/* SPDX-License-Identifier: MIT */
/* POSIX's checksum (CRC), size and name of each file. */
#include "../lib.h"

static uint32_t table[256];
static unsigned char buffer[16384];

static void fill_table(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i << 24;

        for (int bit = 0; bit < 8; bit++)
            c = c << 1 ^ (c >> 31 ? 0x04c11db7 : 0);
        table[i] = c;
    }
}

static uint32_t add(uint32_t crc, unsigned char byte)
{
    return crc << 8 ^ table[crc >> 24 ^ byte];
}

static int sum(const char *name, int f)
{
    uint32_t crc = 0;
    uint64_t size = 0;
    long n;

    while ((n = read(f, buffer, sizeof(buffer))) > 0) {
        for (long i = 0; i < n; i++)
            crc = add(crc, buffer[i]);
        size += n;
    }
    if (n < 0)
        return complain(name, n);
    for (uint64_t left = size; left; left >>= 8)
        crc = add(crc, left);
    printf("%u %lu %s\n", ~crc, size, name);
    return 0;
}

int main(int argc, char **argv)
{
    int status = 0;

    fill_table();
    if (argc == 1)
        return sum("", 0);
    for (int i = 1; i < argc; i++) {
        int f = open(argv[i], O_READ);

        status |= f < 0 ? complain(argv[i], f) : sum(argv[i], f);
        close(f);
    }
    return status;
}
