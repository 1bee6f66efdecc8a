/* SPDX-License-Identifier: MIT */
#ifndef GP_DNS_STUB_H
#define GP_DNS_STUB_H

#include <stdbool.h>

#include "base/endpoint.h"

/* Does the resolver at `server` (port 53) vouch for the zone `name`, by the AD bit? That is what
 * programs without validation of their own, such as Postfix, believe. Blocks for some seconds. */
bool gp_stub_vouches(const struct gp_endpoint *server, const char *name);

#endif
