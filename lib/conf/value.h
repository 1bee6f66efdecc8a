/* SPDX-License-Identifier: MIT */
#ifndef GP_CONF_VALUE_H
#define GP_CONF_VALUE_H

#include <libconfig.h>
#include <stdbool.h>

#include "base/buf.h"
#include "conf/schema.h"

/* What can be done with a value, by its type. Groups and lists are made of other values: read.c,
 * conf.c and restart.c walk through them. */
struct gp_conf_value_type {
	const char *words; /* what the operator must write: "a whole number" */
	unsigned accepts;  /* types of libconfig, as bits 1 << CONFIG_TYPE_... */
	/* Read the setting into `at`, or add a complaint. NULL: of a text, see `parse`. */
	void (*read)(const struct gp_conf_row *row, void *at, const config_setting_t *setting,
		     struct gp_buf *errors);
	/* Read a text, which is the default or stands at `setting`. NULL: there is no default but
	 * the empty one. */
	void (*parse)(const struct gp_conf_row *row, const char *text, void *at,
		      const config_setting_t *setting, struct gp_buf *errors);
	bool (*same)(const void *a, const void *b);
	/* Free what `read` took, beyond libconfig's own texts. NULL: nothing. */
	void (*release)(void *at);
};

/* By enum gp_conf_type. */
extern const struct gp_conf_value_type gp_conf_value_types[];

/* Read one setting, which is no group and no list, of any type that libconfig knows: what does not fit is a
 * complaint. */
void gp_conf_value_read(const struct gp_conf_row *row, void *at, const config_setting_t *setting,
			struct gp_buf *errors);

/* Has the setting the type that the row demands? If not, complains. */
bool gp_conf_value_fits(const struct gp_conf_row *row, const config_setting_t *setting,
			struct gp_buf *errors);

#endif
