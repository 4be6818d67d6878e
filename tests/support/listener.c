#include "tests/support/listener.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/http.h"
#include "tests/unit/unit.h"

struct scene *listener_scene(const char *name)
{
    struct scene *s = scene_open(name);

    scene_sql(s, "CREATE TABLE items (id int PRIMARY KEY, name varchar(50))");
    for (unsigned i = 0; i < 50; i++)
        scene_sql(s, "INSERT INTO items VALUES (%u, 'item')", i);
    return s;
}

struct listener listener_hold(struct scene *s, const char *file)
{
    struct listener listener = {.port = http_free_port()};
    char address[40];

    (void)snprintf(address, sizeof address, "127.0.0.1:%u", listener.port);
    scene_hold(s, "before-indexes");
    listener.pid = scene_start(s, "alter", "items", "ADD COLUMN c int", "--metrics-listen", address,
                               file ? "--metrics-file" : NULL, file, NULL);
    scene_await(s, "before-indexes");
    return listener;
}

void listener_end(struct scene *s, struct listener listener)
{
    scene_release(s, "before-indexes");
    assert_exit(scene_wait(s, listener.pid), 0);
}

void assert_has(const char *text, const char *words)
{
    if (!strstr(text, words))
        fail_msg("\"%s\" is not in:\n%s", words, text);
}

int run_program(const char *command, struct text *said)
{
    char buffer[4096];
    size_t n;
    FILE *pipe = popen(command, "r");

    assert_non_null(pipe);
    text_clear(said);
    while ((n = fread(buffer, 1, sizeof buffer, pipe)) > 0)
        text_add_bytes(said, buffer, n);
    return pclose(pipe);
}
