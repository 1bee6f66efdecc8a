/* SPDX-License-Identifier: MIT */
#ifndef GP_BASE_UTF8_H
#define GP_BASE_UTF8_H

#include <stddef.h>

/* Bytes of the printable character of two or more bytes at `p` (ended by a NUL somewhere), or 0
 * for anything else: not well-formed (RFC 3629 section 4), or a C1 control, which some terminals
 * obey. */
size_t gp_utf8_length(const unsigned char *p);

/* Copy text of another process or machine that is shown on terminals: what these could obey, and
 * what is not UTF-8, becomes "?". Cut between characters if it is longer than `size` allows. */
void gp_utf8_copy_printable(const char *from, char *to, size_t size);

#endif
