/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_DER_H
#define GP_TLS_DER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* A bounded reader of DER (X.690): elements with a tag of one byte and a definite length. What
 * does not fit sets `bad` for good and reads as empty, so one check at the end is enough. */

struct gp_der {
	const uint8_t *p;
	size_t left;
	bool bad;
};

enum gp_der_tag {
	GP_DER_INTEGER = 0x02,
	GP_DER_BIT_STRING = 0x03,
	GP_DER_OCTET_STRING = 0x04,
	GP_DER_OID = 0x06,
	GP_DER_SEQUENCE = 0x30,
	GP_DER_CONTEXT = 0xa0 /* constructed, + number */
};

struct gp_der gp_der_of(struct gp_str bytes);

/* Is the next element one with that tag? */
bool gp_der_is(const struct gp_der *r, unsigned tag);

/* Take the next element, which must have that tag: its contents, to be read on. */
struct gp_der gp_der_take(struct gp_der *r, unsigned tag);

/* Take the next element, whatever it is: the whole of it, tag and length included. */
struct gp_str gp_der_take_whole(struct gp_der *r);

/* Take the rest. */
struct gp_str gp_der_rest(const struct gp_der *r);

#endif
