/*
 * Replay: runs a target over kept inputs (files, or all files of a directory),
 * in builds without libFuzzer.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

static unsigned replay_file(const char *path)
{
    struct stat status;
    FILE *file = fopen(path, "rb");

    must(file && fstat(fileno(file), &status) == 0);
    const size_t size = (size_t)status.st_size;
    uint8_t *bytes = must_alloc(size);
    must(fread(bytes, 1, size, file) == size);
    (void)fclose(file);
    (void)LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    return 1;
}

static unsigned replay_directory(const char *path)
{
    unsigned n = 0;
    DIR *directory = opendir(path);

    if (!directory)
        return replay_file(path);
    for (const struct dirent *entry; (entry = readdir(directory));) {
        char inner[4096];
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        n += replay_file(inner);
    }
    (void)closedir(directory);
    return n;
}

int main(int argc, char **argv)
{
    unsigned n = 0;

    for (int i = 1; i < argc; i++)
        n += replay_directory(argv[i]);
    (void)printf("%u inputs\n", n);
    return n ? 0 : 1;
}
