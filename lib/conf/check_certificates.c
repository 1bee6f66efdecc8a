/* SPDX-License-Identifier: MIT */
#include "conf/check_certificates.h"

#include <libconfig.h>
#include <stdlib.h>
#include <string.h>

#include "conf/complaint.h"
#include "conf/tree.h"

static const config_setting_t *element_of(const struct gp_conf *conf, size_t i)
{
	return config_setting_get_elem(config_lookup(&conf->tree->config, "certificates"),
				       (unsigned)i);
}

/* Is the setting there? One of the wrong type has been complained of already. */
static bool is_set(const config_setting_t *group, const char *name, const char *value)
{
	const config_setting_t *setting = config_setting_get_member(group, name);

	return value || (setting && config_setting_type(setting) != CONFIG_TYPE_STRING);
}

void gp_conf_check_certificates(const struct gp_conf *conf, struct gp_buf *errors)
{
	for (size_t i = 0; i < conf->certificate_count; i++) {
		const struct gp_conf_certificate *c = &conf->certificates[i];
		const config_setting_t *place = element_of(conf, i);
		bool name = is_set(place, "name", c->name),
		     chain = is_set(place, "chain", c->chain), key = is_set(place, "key", c->key);
		bool any = name || chain || key || c->ocsp || c->next_key;
		bool directory = is_set(place, "directory", c->directory);

		if (c->directory ? any : !directory && !(name && chain && key))
			gp_conf_complain(
				errors, place,
				"a certificate needs name, chain and key, or directory alone");
	}
}

static int compare_names(const void *a_arg, const void *b_arg)
{
	const struct gp_conf_certificate *const *a = a_arg, *const *b = b_arg;
	int order = strcmp((*a)->name, (*b)->name);

	return order ? order : (*a > *b) - (*a < *b);
}

/* There may be ten thousand. */
void gp_conf_check_certificate_names(const struct gp_conf *conf, struct gp_buf *errors)
{
	const struct gp_conf_certificate **sorted = calloc(conf->certificate_count + 1,
							   sizeof(*sorted));
	size_t count = 0;

	for (size_t i = 0; sorted && i < conf->certificate_count; i++) {
		if (!conf->certificates[i].directory)
			sorted[count++] = &conf->certificates[i];
	}
	if (count)
		qsort(sorted, count, sizeof(*sorted), compare_names);
	for (size_t i = 1; i < count; i++) {
		if (!strcmp(sorted[i]->name, sorted[i - 1]->name))
			gp_conf_complain(errors,
					 element_of(conf, (size_t)(sorted[i] - conf->certificates)),
					 "there are two certificates named \"%s\"",
					 sorted[i]->name);
	}
	free(sorted);
}
