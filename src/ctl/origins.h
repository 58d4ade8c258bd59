/* nginx's copy of STRIPEHOOK_ALLOWED_ORIGINS, for the errors that it makes. */
#ifndef CTL_ORIGINS_H
#define CTL_ORIGINS_H

#include <stdio.h>

struct config;
struct err;

/* Prints the snippet for nginx. */
void origins_print(FILE *out, const struct config *cfg);

/*
 * Adds to err how STRIPEHOOK_NGINX_ORIGINS differs from that snippet, to info
 * that there is no nginx on this host.
 */
void origins_check(const struct config *cfg, struct err *err,
    struct err *info);

#endif
