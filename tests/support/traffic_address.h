/*
 * The parts of a mysql:// or mariadb:// DSN.
 */
#ifndef OSC_TESTS_TRAFFIC_ADDRESS_H
#define OSC_TESTS_TRAFFIC_ADDRESS_H

struct address {
    char user[128], password[256], host[256], database[128], socket[256];
    unsigned port;
};

/* scheme://[user[:password]@][host[:port]]/database[?socket=/path], parts percent-encoded */
void address_parse(struct address *a, const char *dsn);

#endif
