/* SPDX-License-Identifier: MIT */
/*
 * The shell: commands with arguments, < > >> and |, & at the end of a line, ; between commands, $?
 * and quotes. `sh FILE` takes its lines from a file. Built in: cd, exit, wait.
 */
#include "../lib.h"

#define WORDS 32

static char line[512], words[1024]; /* a line, and the words in it, one NUL each */
static int last_status;
static bool interactive;

struct command {
    char *words[WORDS + 1];
    int count;
    const char *in, *out;
    bool append;
};

static bool special(char c)
{
    return c == '<' || c == '>' || c == '|' || c == ';' || c == '&';
}

/* The next thing in the line: 'w' for a word, which is put behind those before it in `text`; a
 * special character; 0 for the end. */
static char next(char **at, char **text, char **word)
{
    char *s = *at, quote = 0;

    while (*s == ' ' || *s == '\t')
        s++;
    *at = s;
    if (!*s || *s == '#')
        return 0;
    if (special(*s)) {
        *at = s + 1;
        return *s;
    }
    *word = *text;
    for (; *s && (quote || (*s != ' ' && *s != '\t' && !special(*s))); s++) {
        if (*s == quote)
            quote = 0;
        else if (!quote && (*s == '"' || *s == '\''))
            quote = *s;
        else
            *(*text)++ = *s;
    }
    *(*text)++ = 0;
    *at = s;
    return 'w';
}

static char *status(void)
{
    static char text[16];

    format(text, sizeof(text), "%d", last_status);
    return text;
}

/* Parses up to |, ; or &, which is returned; 0 at the end of the line, -1 for nonsense. */
static int parse(char **at, char **text, struct command *c)
{
    char *word;

    *c = (struct command){.count = 0};
    for (;;) {
        char kind = next(at, text, &word);

        if (kind == 'w') {
            if (c->count == WORDS)
                return -1;
            c->words[c->count++] = strcmp(word, "$?") ? word : status();
            continue;
        }
        if (kind != '<' && kind != '>')
            return kind;
        if (kind == '>' && **at == '>') {
            c->append = true;
            ++*at;
        }
        if (next(at, text, &word) != 'w')
            return -1;
        *(kind == '<' ? &c->in : &c->out) = word;
    }
}

static void redirect(const char *path, unsigned flags, int fd)
{
    int f = open(path, flags);

    if (f < 0)
        exit(complain(path, f));
    CALL(dup2, f, fd);
    close(f);
}

/* In the child. */
static void run(struct command *c, int in, int out)
{
    int error;

    if (in >= 0) {
        CALL(dup2, in, 0);
        close(in);
    }
    if (out >= 0) {
        CALL(dup2, out, 1);
        close(out);
    }
    if (c->in)
        redirect(c->in, O_READ, 0);
    if (c->out)
        redirect(c->out, O_WRITE | O_CREATE | (c->append ? O_APPEND : O_TRUNC), 1);
    error = exec(c->words);
    complain(c->words[0], error);
    exit(127);
}

static bool built_in(struct command *c)
{
    long error;

    if (!strcmp(c->words[0], "exit"))
        exit(c->count > 1 ? (int)number(c->words[1]) : last_status);
    if (!strcmp(c->words[0], "wait")) {
        while (CALL(wait, &last_status) > 0)
            ;
        return true;
    }
    if (strcmp(c->words[0], "cd"))
        return false;
    error = CALL(chdir, c->count > 1 ? c->words[1] : "/");
    last_status = error ? complain(c->words[1], error) : 0;
    return true;
}

static void wait_for(int child)
{
    int ended;

    if (interactive)
        CALL(foreground, child);
    do
        ended = CALL(wait, &last_status);
    while (ended > 0 && ended != child);
    CALL(foreground, 0);
}

/* One pipeline; false at the end of the line. */
static bool pipeline(char **at, char **text)
{
    int in = -1, child = -1, end;

    do {
        struct command c;
        int ends[2] = {-1, -1};

        end = parse(at, text, &c);
        if (end < 0 || (!c.count && (end || in >= 0))) {
            last_status = complain("cannot understand that", 0);
            return false;
        }
        if (!c.count)
            return false;
        if (end != '|' && in < 0 && built_in(&c))
            return end;
        if (end == '|')
            CALL(pipe, ends);
        child = CALL(fork);
        if (!child) {
            if (ends[0] >= 0)
                close(ends[0]);
            run(&c, in, ends[1]);
        }
        if (in >= 0)
            close(in);
        if (ends[1] >= 0)
            close(ends[1]);
        in = ends[0];
    } while (end == '|');
    if (end == '&')
        printf("[%d]\n", child);
    else if (child > 0)
        wait_for(child);
    else
        last_status = complain("fork", child);
    return end;
}

int main(int argc, char **argv)
{
    int in = 0;

    if (argc > 1) {
        in = open(argv[1], O_READ);
        if (in < 0)
            return complain(argv[1], in);
    }
    interactive = argc == 1;
    for (;;) {
        char *at = line, *text = words;

        if (interactive)
            printf("minos$ ");
        if (read_line(in, line, sizeof(line)) < 0)
            return last_status;
        while (pipeline(&at, &text))
            ;
    }
}
