/* SPDX-License-Identifier: MIT */
#include "publish/csr_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "publish/srv.h"

/* "before" and "after" make the name, which is added once. */
static int add(struct gp_csr_names *names, enum gp_identity_kind kind, const char *before,
	       const char *after)
{
	struct gp_identity_name *more;
	char *text;

	if (asprintf(&text, "%s%s", before, after) < 0)
		return GP_E_NOMEM;
	for (size_t i = 0; i < names->count; i++) {
		if (names->items[i].kind == kind && !strcmp(names->items[i].text, text)) {
			free(text);
			return GP_OK;
		}
	}
	more = reallocarray(names->items, names->count + 1, sizeof(*more));
	if (!more) {
		free(text);
		return GP_E_NOMEM;
	}
	names->items = more;
	more[names->count++] = (struct gp_identity_name){ kind, text };
	return GP_OK;
}

static int add_mail_services(struct gp_csr_names *names, const struct gp_publish_facts *facts)
{
	char before[32];
	int ret = GP_OK;

	for (const struct gp_srv_row *row = gp_srv_rows; row->service && ret == GP_OK; row++) {
		if (gp_roles[row->role].xmpp || !gp_publish_offers(facts, row->role))
			continue;
		snprintf(before, sizeof(before), "%s.", row->service);
		ret = add(names, GP_IDENTITY_SRV, before, facts->domain);
	}
	return ret;
}

static int add_mail(struct gp_csr_names *names, const struct gp_publish_facts *facts)
{
	int ret = add(names, GP_IDENTITY_DNS, "", facts->mail_host);

	for (size_t i = 0; i < facts->mx_count && ret == GP_OK; i++)
		ret = add(names, GP_IDENTITY_DNS, "", facts->mx[i]);
	if (ret == GP_OK)
		ret = add(names, GP_IDENTITY_DNS, "", facts->domain);
	return ret == GP_OK ? add_mail_services(names, facts) : ret;
}

/* The name is the domain's, on whatever host it is; direct TLS asks for the same SRV-IDs. */
static int add_xmpp(struct gp_csr_names *names, const struct gp_publish_facts *facts)
{
	int ret = add(names, GP_IDENTITY_DNS, "", facts->domain);

	if (ret == GP_OK && (gp_publish_offers(facts, GP_ROLE_XMPP_CLIENT) ||
			     gp_publish_offers(facts, GP_ROLE_XMPPS_CLIENT)))
		ret = add(names, GP_IDENTITY_SRV, "_xmpp-client.", facts->domain);
	if (ret == GP_OK && (gp_publish_offers(facts, GP_ROLE_XMPP_SERVER) ||
			     gp_publish_offers(facts, GP_ROLE_XMPPS_SERVER)))
		ret = add(names, GP_IDENTITY_SRV, "_xmpp-server.", facts->domain);
	return ret;
}

static int add_web(struct gp_csr_names *names, const struct gp_publish_facts *facts)
{
	return add(names, GP_IDENTITY_DNS, "mta-sts.", facts->domain);
}

static void choose_common_name(struct gp_csr_names *names)
{
	for (size_t i = 0; i < names->count && !names->common_name; i++) {
		if (names->items[i].kind == GP_IDENTITY_DNS &&
		    strlen(names->items[i].text) <= GP_CSR_COMMON_NAME_MAX)
			names->common_name = names->items[i].text;
	}
}

int gp_csr_names_new(const struct gp_publish_facts *facts, enum gp_csr_service service,
		     struct gp_csr_names **names_out)
{
	static int (*const makers[])(struct gp_csr_names *, const struct gp_publish_facts *) = {
		[GP_CSR_MAIL] = add_mail,
		[GP_CSR_XMPP] = add_xmpp,
		[GP_CSR_WEB] = add_web,
	};
	struct gp_csr_names *names = calloc(1, sizeof(*names));
	int ret = names ? makers[service](names, facts) : GP_E_NOMEM;

	if (ret != GP_OK) {
		gp_csr_names_free(names);
		return ret;
	}
	choose_common_name(names);
	*names_out = names;
	return GP_OK;
}

void gp_csr_names_free(struct gp_csr_names *names)
{
	if (!names)
		return;
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i].text);
	free(names->items);
	free(names);
}
