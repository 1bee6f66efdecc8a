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
	GP_CONF_SIZE,     /* "64k"; stored in octets */
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
	const char *standard;     /* default as one would write it; NULL: required, "": none */
	uint64_t min, max;        /* of numbers, durations (ms) and sizes; of a list: max is the
				     size of an element */
	const char *const *words; /* of a choice, ended by NULL */
	const struct gp_conf_row *rows; /* of a group, ended by a row without name */
	bool internal;                  /* only in effective configurations */
	const char *example;            /* shown in place of the default */
	const char *help;               /* a sentence for people */
};

/* A group at the top */
struct gp_conf_group {
	const char *name;
	const struct gp_conf_row *rows;
	bool is_list;
	const char *help;
};

extern const struct gp_conf_row gp_conf_server_rows[];
extern const struct gp_conf_row gp_conf_log_rows[];
extern const struct gp_conf_row gp_conf_limits_rows[];
extern const struct gp_conf_row gp_conf_web_rows[];
extern const struct gp_conf_row gp_conf_dns_rows[];
extern const struct gp_conf_row gp_conf_policy_rows[];
extern const struct gp_conf_row gp_conf_certificate_rows[];
extern const struct gp_conf_row gp_conf_listener_rows[];
extern const struct gp_conf_row gp_conf_client_certificate_rows[];
extern const struct gp_conf_row gp_conf_backend_rows[];
extern const struct gp_conf_row gp_conf_domain_rows[];

extern const struct gp_conf_group gp_conf_groups[]; /* ended by a group without name */

#endif
