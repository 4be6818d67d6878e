/*
 * Loaded into a server (LD_PRELOAD): as long as the file $OSC_FULL_DISK is there,
 * files whose path contains one of its lines cannot grow, as on a disk that is full.  What is
 * allocated may be overwritten.  Needs no rights to mount anything.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* The server's path of a descriptor, among the lines of the list. */
static bool is_listed(int file, const char *list)
{
    char link[64], path[1024] = "", lines[2048] = "";

    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    if (readlink(link, path, sizeof path - 1) < 0)
        return false;
    const int names = open(list, O_RDONLY | O_CLOEXEC);
    if (names < 0)
        return false;
    const ssize_t n = read(names, lines, sizeof lines - 1);
    (void)close(names);
    char *rest = n > 0 ? lines : NULL;
    for (char *line; rest && (line = strsep(&rest, "\n"));)
        if (*line && strstr(path, line))
            return true;
    return false;
}

/* `end`: where the write would end; -1: at the end of the file and beyond. */
static bool is_full(int file, off_t end)
{
    const char *list = getenv("OSC_FULL_DISK");
    const int before = errno;
    struct stat now;

    const bool full = list && access(list, F_OK) == 0 && fstat(file, &now) == 0 &&
                      S_ISREG(now.st_mode) && (end < 0 || end > now.st_size) &&
                      is_listed(file, list);
    errno = full ? ENOSPC : before;
    return full;
}

static off_t end_of_write(int file, size_t bytes)
{
    return (fcntl(file, F_GETFL) & O_APPEND) ? -1 : lseek(file, 0, SEEK_CUR) + (off_t)bytes;
}

static size_t all(const struct iovec *parts, int n)
{
    size_t bytes = 0;

    for (int i = 0; i < n; i++)
        bytes += parts[i].iov_len;
    return bytes;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int file, const void *bytes, size_t n)
{
    return is_full(file, end_of_write(file, n)) ? -1 : REAL(write)(file, bytes, n);
}

ssize_t writev(int file, const struct iovec *parts, int n)
{
    return is_full(file, end_of_write(file, all(parts, n))) ? -1 : REAL(writev)(file, parts, n);
}

ssize_t pwrite(int file, const void *bytes, size_t n, off_t at)
{
    return is_full(file, at + (off_t)n) ? -1 : REAL(pwrite)(file, bytes, n, at);
}

ssize_t pwrite64(int file, const void *bytes, size_t n, off64_t at)
{
    return is_full(file, at + (off_t)n) ? -1 : REAL(pwrite64)(file, bytes, n, at);
}

ssize_t pwritev(int file, const struct iovec *parts, int n, off_t at)
{
    return is_full(file, at + (off_t)all(parts, n)) ? -1 : REAL(pwritev)(file, parts, n, at);
}

ssize_t pwritev64(int file, const struct iovec *parts, int n, off64_t at)
{
    return is_full(file, at + (off_t)all(parts, n)) ? -1 : REAL(pwritev64)(file, parts, n, at);
}

int posix_fallocate(int file, off_t at, off_t n)
{
    return is_full(file, at + n) ? ENOSPC : REAL(posix_fallocate)(file, at, n);
}

int posix_fallocate64(int file, off64_t at, off64_t n)
{
    return is_full(file, at + n) ? ENOSPC : REAL(posix_fallocate64)(file, at, n);
}

int fallocate(int file, int mode, off_t at, off_t n)
{
    return is_full(file, at + n) ? -1 : REAL(fallocate)(file, mode, at, n);
}

int fallocate64(int file, int mode, off64_t at, off64_t n)
{
    return is_full(file, at + n) ? -1 : REAL(fallocate64)(file, mode, at, n);
}

/* A server that waits for room looks again after a minute, or sixty seconds; a test has not so
 * long.
 */
unsigned sleep(unsigned seconds)
{
    (void)usleep(seconds > 1 ? 500000 : 20000);
    return 0;
}
