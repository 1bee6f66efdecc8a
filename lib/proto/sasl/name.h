/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_SASL_NAME_H
#define GP_PROTO_SASL_NAME_H

#include <stddef.h>

#include "base/str.h"

/* Find the user name in the first message that a client sends in a SASL exchange, for the log.
 * `base64` is that message as on the wire. Writes an empty name when the mechanism hides it or
 * the message is malformed. Passwords beside the name are wiped. */
void gp_sasl_name(const char *mechanism, struct gp_str base64, char *name_out, size_t size);

#endif
