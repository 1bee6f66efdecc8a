/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_READER_H
#define GP_POLICY_READER_H

#include <jansson.h>

#include "policy/findings.h"

/* Reads members of JSON objects of which each must be there. The first error stays, as a sentence,
 * and what is read after it does not matter, so that the check can come once at the end. What is
 * returned then is NULL, 0 or the first word. Borrowed texts live as long as the JSON. */

enum { GP_READER_ERROR_SIZE = 256 };

struct gp_reader {
	char *error;    /* of GP_READER_ERROR_SIZE; the caller's */
	char where[64]; /* what the members belong to, with a blank behind it; "" at the top */
	bool failed;
	bool no_memory;
};

__attribute__((format(printf, 2, 3))) void gp_reader_fail(struct gp_reader *r, const char *format,
							  ...);
/* "name" `why`. */
void gp_reader_refuse(struct gp_reader *r, const char *name, const char *why);
void gp_reader_lacks_memory(struct gp_reader *r);

/* Of any type. */
const json_t *gp_reader_member(struct gp_reader *r, const json_t *object, const char *name);
const json_t *gp_reader_object(struct gp_reader *r, const json_t *object, const char *name);
const json_t *gp_reader_list(struct gp_reader *r, const json_t *object, const char *name,
			     size_t most);

/* `may_be_null`: NULL stands for null, and is no error. */
const char *gp_reader_text(struct gp_reader *r, const json_t *object, const char *name,
			   bool may_be_null);
void gp_reader_copy_text(struct gp_reader *r, const json_t *object, const char *name,
			 bool may_be_null, char *out, size_t size);
/* The copy is the caller's; NULL for null. */
void gp_reader_duplicate_text(struct gp_reader *r, const json_t *object, const char *name,
			      char **out);

/* The name of a host or a domain, or an address. */
bool gp_reader_is_name(const char *text);
void gp_reader_copy_name(struct gp_reader *r, const json_t *object, const char *name,
			 bool may_be_null, char out[static GP_POLICY_NAME_SIZE]);

bool gp_reader_truth(struct gp_reader *r, const json_t *object, const char *name);
uint64_t gp_reader_number(struct gp_reader *r, const json_t *object, const char *name,
			  uint64_t most);
/* Seconds of Unix time; 0 for null. */
int64_t gp_reader_time(struct gp_reader *r, const json_t *object, const char *name);
/* The place of a word among `words`. */
int gp_reader_word(struct gp_reader *r, const json_t *object, const char *name,
		   const char *const *words, int count);

#endif
