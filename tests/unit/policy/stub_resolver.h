/* SPDX-License-Identifier: MIT */
#ifndef GP_TESTS_UNIT_POLICY_STUB_RESOLVER_H
#define GP_TESTS_UNIT_POLICY_STUB_RESOLVER_H

#include <stdbool.h>

#include "dns/resolver.h"

/* In the place of dns/resolver.c: questions wait until the test answers them. There is one resolver,
 * and it is no object. */

typedef void (*stub_answers)(void *arg, const char *name, enum gp_dns_type type,
			     struct gp_dns_answer *answer_out);

/* The question that waits longest; false: there is none. */
bool stub_peek(const char **name_out, enum gp_dns_type *type_out);

/* Answer all questions, and those that follow from the answers. `answers` fills in provenance,
 * records and so on; as it comes an answer says that there is no such name, securely. A provenance
 * of GP_UNASKED means silence: the question waits on. */
void stub_answer_all(stub_answers answers, void *arg);

/* How many wait. */
size_t stub_waiting(void);

#endif
