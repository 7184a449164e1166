/* SPDX-License-Identifier: MIT */
/* Lists directories: kind, links, size, name. */
#include "../lib.h"

static void show(const char *path, const char *name)
{
    struct minos_stat s;
    long error = CALL(stat, path, &s);

    if (error)
        complain(path, error);
    else
        printf("%c %3u %10lu %s\n", s.mode & S_DIRECTORY ? 'd' : '-', s.links, s.size, name);
}

static int list(const char *path)
{
    struct minos_dirent e;
    char name[512];
    long error;
    int f = open(path, O_READ);

    if (f < 0)
        return complain(path, f);
    while ((error = CALL(readdir, f, &e)) > 0) {
        format(name, sizeof(name), "%s/%s", path, e.name);
        show(name, e.name);
    }
    close(f);
    if (error == -ENOTDIR)
        show(path, path);
    else if (error)
        return complain(path, error);
    return 0;
}

int main(int argc, char **argv)
{
    int status = 0;

    if (argc == 1)
        return list(".");
    for (int i = 1; i < argc; i++)
        status |= list(argv[i]);
    return status;
}
