/* SPDX-License-Identifier: MIT */
#ifndef GP_CONF_SCHEMA_H
#define GP_CONF_SCHEMA_H

#include "conf/conf.h"

/* Every setting is a row. The reader, --check, --print-config and the test of the man page all
 * use the same rows. */

enum gp_conf_type {
	GP_CONF_TEXT,
	GP_CONF_NUMBER,
	GP_CONF_DURATION, /* "10s"; stored in milliseconds */
	GP_CONF_SIZE,     /* "64k"; stored in bytes */
	GP_CONF_CHOICE,   /* stored as the index of the word */
	GP_CONF_ADDRESS,
	GP_CONF_NETWORKS,
	GP_CONF_TEXTS,
	GP_CONF_BOOL,
	GP_CONF_GROUP, /* `rows` describe its settings */
	GP_CONF_LIST   /* of such groups; stored as a struct gp_conf_list */
};

struct gp_conf_row {
	const char *name;
	enum gp_conf_type type;
	size_t offset;            /* in the struct of its group */
	const char *default_text; /* as the operator would write it; NULL: required; "": none, and
				     then the empty text is allowed, which means the same */
	uint64_t min, max;        /* of numbers, durations (ms) and sizes; of a list: max is the
				     size of an element */
	const char *const *words; /* of a choice, ended by NULL */
	const struct gp_conf_row *rows; /* of a group, ended by a row without name */
	bool restart;                   /* a change needs a restart, in no list */
	bool internal;                  /* only in effective configurations */
	const char *example;            /* shown in place of the default */
	const char *help;               /* a sentence for people */
};

static inline bool gp_conf_row_may_be_empty(const struct gp_conf_row *row)
{
	return row->default_text && !*row->default_text;
}

/* A setting that had another name before. */
struct gp_conf_renamed {
	const struct gp_conf_row *rows; /* of its group */
	const char *old_name;
	const char *new_name;
};

extern const struct gp_conf_renamed gp_conf_renamed[]; /* ended by a row without old_name */

/* A group at the top: its struct stands in struct gp_conf, of a list a pointer to its elements. */
struct gp_conf_group {
	const char *name;
	const struct gp_conf_row *rows;
	const char *help;
	size_t offset;
	size_t count_offset; /* of a list: where struct gp_conf counts its elements */
	size_t size;         /* of a list: that of an element; else 0 */
	bool any_restart;    /* of a list: its first element and the end of its last one need a
				restart */
};

extern const struct gp_conf_group gp_conf_groups[]; /* ended by a group without name */

#endif
