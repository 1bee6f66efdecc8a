/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_TLS_SERVERS_H
#define TESTS_UNIT_TLS_SERVERS_H

#include "link.h"

/* Two servers on one ground, for a whole program: each has the other's certificate, too. */

enum { RSA_CERTIFICATE, EC_CERTIFICATE };

extern struct ground ground;
extern struct gp_tls_server *servers[2]; /* by their default certificate */

void servers_init(void);
void servers_deinit(void);

#endif
