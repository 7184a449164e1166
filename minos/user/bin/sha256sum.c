/* SPDX-License-Identifier: MIT */
/* SHA-256 (FIPS 180-4) and name of each file, as the command of that name prints them elsewhere. */
#include "../lib.h"

#define BLOCK  64
#define BUFFER 16384

static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static unsigned char buffer[BUFFER + 2 * BLOCK]; /* of whole blocks; room for the end's padding */

static uint32_t rotate(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static void schedule(uint32_t w[64], const unsigned char *block)
{
    for (int i = 0; i < 16; i++, block += 4)
        w[i] = (uint32_t)block[0] << 24 | block[1] << 16 | block[2] << 8 | block[3];
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];

        w[i] = w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[i - 7] +
               (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
    }
}

static void add_block(uint32_t hash[8], const unsigned char *block)
{
    uint32_t w[64], s[8]; /* s: a to h of the standard */

    schedule(w, block);
    memcpy(s, hash, sizeof(s));
    for (int i = 0; i < 64; i++) {
        uint32_t e = s[4], a = s[0];
        uint32_t t1 = s[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
                      ((e & s[5]) ^ (~e & s[6])) + constants[i] + w[i];
        uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
                      ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));

        for (int k = 7; k; k--)
            s[k] = s[k - 1];
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        hash[i] += s[i];
}

static void add_blocks(uint32_t hash[8], size_t size)
{
    for (size_t at = 0; at < size; at += BLOCK)
        add_block(hash, buffer + at);
}

/* The padding behind the last `size` bytes in the buffer; with it, they are whole blocks. */
static size_t pad(size_t size, uint64_t total)
{
    size_t end = (size + 8) / BLOCK * BLOCK + BLOCK;

    buffer[size] = 0x80;
    memset(buffer + size + 1, 0, end - size - 1);
    for (int i = 0; i < 8; i++)
        buffer[end - 1 - i] = total * 8 >> 8 * i;
    return end;
}

static int sum(const char *name, int f)
{
    uint32_t hash[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    uint64_t total = 0;
    size_t used = 0;
    long n;

    while ((n = read(f, buffer + used, BUFFER - used)) > 0) {
        size_t whole;

        used += n;
        total += n;
        whole = used / BLOCK * BLOCK;
        add_blocks(hash, whole);
        used -= whole;
        memcpy(buffer, buffer + whole, used);
    }
    if (n < 0)
        return complain(name, n);
    add_blocks(hash, pad(used, total));
    for (int i = 0; i < 8; i++)
        printf("%08x", hash[i]);
    printf("  %s\n", name);
    return 0;
}

int main(int argc, char **argv)
{
    int status = 0;

    if (argc == 1)
        return sum("-", 0);
    for (int i = 1; i < argc; i++) {
        int f = open(argv[i], O_READ);

        status |= f < 0 ? complain(argv[i], f) : sum(argv[i], f);
        if (f >= 0)
            close(f);
    }
    return status;
}
