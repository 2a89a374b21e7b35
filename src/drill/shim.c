/* Preloaded into a process (LD_PRELOAD): at the nth call that matches, the process dies, or the call fails.
 *
 * SUREFOOT_SHIM="<path part>|<calls>|<nth>|<what>|<head>"
 *   path part  what the name of the file must contain
 *   calls      i open to read, x look at (stat), d list a directory, r read, o open to write, w write, s sync, t cut, n rename,
 *              u remove, m make a directory
 *   nth        from 1
 *   what       before: dies before the call. after: dies behind it. 5 or 28: the call fails with that error.
 *              5+ or 28+: so does every matching call after it. short: it and every read after it gives a few bytes
 *   head       if not empty: what the bytes must begin with (a write alone has any)
 * SUREFOOT_SHIM_FIRED names a file that is made when it has happened.
 *
 * A rename counts by its old name. Names of open files are asked of the system at each call, so that copies of a
 * descriptor count too. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char part[512], calls[16], head[64];
static long nth;
static int die_before, die_after, error_code, error_stays, gives_few;
static const size_t FEW = 7;
static atomic_long count;
static atomic_int ready;

__attribute__((constructor)) static void begin(void) {
    const char *text = getenv("SUREFOOT_SHIM");
    char what[16] = "", copy[768];
    if (!text || strlen(text) >= sizeof copy) return;
    strcpy(copy, text);
    char *rest = copy, *field[5] = {"", "", "", "", ""};
    for (int i = 0; i < 5 && rest; i++) field[i] = strsep(&rest, "|");
    snprintf(part, sizeof part, "%s", field[0]);
    snprintf(calls, sizeof calls, "%s", field[1]);
    nth = atol(field[2]);
    snprintf(what, sizeof what, "%s", field[3]);
    snprintf(head, sizeof head, "%s", field[4]);
    die_before = !strcmp(what, "before");
    die_after = !strcmp(what, "after");
    error_code = atoi(what);
    gives_few = !strcmp(what, "short");
    error_stays = gives_few || strchr(what, '+') != NULL;
    atomic_store(&ready, nth > 0);
}

static void fired(void) {
    const char *name = getenv("SUREFOOT_SHIM_FIRED");
    if (name) syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, name, O_CREAT | O_WRONLY, 0600));
}

static void die(void) {
    fired();
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

/* What is to become of a call: 0 it is made, 1 it is made and the process dies, 2 it gives a few bytes, -1 it fails (errno is
 * set). */
static int meet(char call, const char *path, const void *bytes, size_t length) {
    if (!atomic_load(&ready) || !strchr(calls, call) || !strstr(path, part)) return 0;
    if (bytes && *head && (length < strlen(head) || memcmp(bytes, head, strlen(head)))) return 0;
    long this = atomic_fetch_add(&count, 1) + 1;
    if (this != nth && !(error_stays && this > nth)) return 0;
    if (die_before) die();
    if (die_after) return 1;
    if (this == nth) fired();
    if (gives_few) return 2;
    errno = error_code;
    return -1;
}

static int meet_file(char call, int fd, const void *bytes, size_t length) {
    if (!atomic_load(&ready) || !strchr(calls, call)) return 0;
    char link[64], path[4096];
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t got = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    errno = before;
    if (got <= 0) return 0;
    path[got] = 0;
    return meet(call, path, bytes, length);
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
#define PASS(met, call) \
    int met_ = (met); \
    if (met_ < 0) return -1; \
    __typeof__(call) done_ = (call); \
    if (met_ == 1) die(); \
    return done_
#define READS(call) \
    int met_ = meet_file('r', fd, NULL, 0); \
    if (met_ < 0) return -1; \
    if (met_ == 2 && n > FEW) n = FEW; \
    ssize_t done_ = (call); \
    if (met_ == 1) die(); \
    return done_
#define LOOKS(met, call) \
    int before_ = errno, met_ = (met); \
    if (met_ < 0) return -1; \
    errno = before_; \
    return (call)

#define OPENS(name, dirfd, call_) \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
        va_list more; \
        va_start(more, flags); \
        mode = va_arg(more, mode_t); \
        va_end(more); \
    } \
    REAL(name); \
    PASS(meet((flags & O_ACCMODE) == O_RDONLY ? 'i' : 'o', path, NULL, 0), call_)

int open(const char *path, int flags, ...) { OPENS(open, AT_FDCWD, real(path, flags, mode)); }
int open64(const char *path, int flags, ...) { OPENS(open64, AT_FDCWD, real(path, flags, mode)); }
int openat(int dir, const char *path, int flags, ...) { OPENS(openat, dir, real(dir, path, flags, mode)); }
int openat64(int dir, const char *path, int flags, ...) { OPENS(openat64, dir, real(dir, path, flags, mode)); }

ssize_t read(int fd, void *to, size_t n) { REAL(read); READS(real(fd, to, n)); }
ssize_t pread(int fd, void *to, size_t n, off_t at) { REAL(pread); READS(real(fd, to, n, at)); }
ssize_t pread64(int fd, void *to, size_t n, off64_t at) { REAL(pread64); READS(real(fd, to, n, at)); }

int statx(int dir, const char *path, int flags, unsigned mask, struct statx *to) {
    REAL(statx);
    const char *volatile name = path; /* the standard library asks with none whether there is such a call */
    if (!name) return real(dir, path, flags, mask, to);
    LOOKS(*path ? meet('x', path, NULL, 0) : meet_file('x', dir, NULL, 0), real(dir, path, flags, mask, to));
}
int stat(const char *path, struct stat *to) { REAL(stat); LOOKS(meet('x', path, NULL, 0), real(path, to)); }
int stat64(const char *path, struct stat64 *to) { REAL(stat64); LOOKS(meet('x', path, NULL, 0), real(path, to)); }
int lstat(const char *path, struct stat *to) { REAL(lstat); LOOKS(meet('x', path, NULL, 0), real(path, to)); }
int lstat64(const char *path, struct stat64 *to) { REAL(lstat64); LOOKS(meet('x', path, NULL, 0), real(path, to)); }
int fstat(int fd, struct stat *to) { REAL(fstat); LOOKS(meet_file('x', fd, NULL, 0), real(fd, to)); }
int fstat64(int fd, struct stat64 *to) { REAL(fstat64); LOOKS(meet_file('x', fd, NULL, 0), real(fd, to)); }
DIR *opendir(const char *path) {
    REAL(opendir);
    if (meet('d', path, NULL, 0) < 0) return NULL;
    return real(path);
}
struct dirent64 *readdir64(DIR *dir) {
    REAL(readdir64);
    if (meet_file('d', dirfd(dir), NULL, 0) < 0) return NULL;
    return real(dir);
}
ssize_t write(int fd, const void *from, size_t n) { REAL(write); PASS(meet_file('w', fd, from, n), real(fd, from, n)); }
ssize_t pwrite(int fd, const void *from, size_t n, off_t at) {
    REAL(pwrite);
    PASS(meet_file('w', fd, from, n), real(fd, from, n, at));
}
ssize_t pwrite64(int fd, const void *from, size_t n, off64_t at) {
    REAL(pwrite64);
    PASS(meet_file('w', fd, from, n), real(fd, from, n, at));
}
ssize_t writev(int fd, const struct iovec *parts, int n) {
    REAL(writev);
    PASS(meet_file('w', fd, n ? parts->iov_base : NULL, n ? parts->iov_len : 0), real(fd, parts, n));
}
int fsync(int fd) { REAL(fsync); PASS(meet_file('s', fd, NULL, 0), real(fd)); }
int fdatasync(int fd) { REAL(fdatasync); PASS(meet_file('s', fd, NULL, 0), real(fd)); }
int ftruncate(int fd, off_t to) { REAL(ftruncate); PASS(meet_file('t', fd, NULL, 0), real(fd, to)); }
int ftruncate64(int fd, off64_t to) { REAL(ftruncate64); PASS(meet_file('t', fd, NULL, 0), real(fd, to)); }
int rename(const char *from, const char *to) { REAL(rename); PASS(meet('n', from, NULL, 0), real(from, to)); }
int unlink(const char *path) { REAL(unlink); PASS(meet('u', path, NULL, 0), real(path)); }
int mkdir(const char *path, mode_t mode) { REAL(mkdir); PASS(meet('m', path, NULL, 0), real(path, mode)); }
