/* SPDX-License-Identifier: MIT */
#ifndef GP_BASE_PUBLIC_IP_H
#define GP_BASE_PUBLIC_IP_H

#include "base/endpoint.h"

/* Is it an address of the public Internet? Not so: loopback, private and link-local networks,
 * documentation, benchmarks, multicast and what else the special-purpose registries of RFC 6890 say
 * is not globally reachable. An IPv6 address that contains an IPv4 address (mapped, NAT64, 6to4) is as
 * public as that one. */
bool gp_ip_is_public(const struct gp_endpoint *e);

#endif
