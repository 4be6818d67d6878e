#include "osc/serve/textfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_all(int file, const struct text *text)
{
    for (size_t done = 0; done < text->length;) {
        const ssize_t n = write(file, text->bytes + done, text->length - done);
        if (n < 0 && errno != EINTR)
            return false;
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool failed(const char *path, struct error *err)
{
    return error_set(err, ERROR_SYSTEM, "--metrics-file %s: %s", path, strerror(errno));
}

bool textfile_write(const char *path, const struct text *text, struct error *err)
{
    AUTO(text) beside = TEXT_INIT;

    /* The collector reads what ends in .prom, and no other. */
    text_printf(&beside, "%s.XXXXXX", path);
    const int file = mkstemp(beside.bytes);
    if (file < 0)
        return failed(path, err);
    /* Another user's collector reads it; there is nothing secret in it. */
    bool good = write_all(file, text) && fchmod(file, 0644) == 0;
    good = close(file) == 0 && good;
    if (good && rename(beside.bytes, path) == 0)
        return true;
    const int why = errno;
    (void)unlink(beside.bytes);
    errno = why;
    return failed(path, err);
}
