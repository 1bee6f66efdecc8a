/* SPDX-License-Identifier: MIT */
#include "publish/csr_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "proto/role.h"

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

/* The SRV-IDs of what is offered, XMPP or the other services, each once. */
static int add_services(struct gp_csr_names *names, const struct gp_publish_basis *basis, bool xmpp)
{
	const char *last = "";
	char before[32];
	int ret = GP_OK;

	for (int role = 0; role < GP_ROLES && ret == GP_OK; role++) {
		const struct gp_role_row *row = &gp_roles[role];

		if (!row->srv_id || row->xmpp != xmpp || !gp_publish_offers(basis, role) ||
		    !strcmp(row->srv_id, last))
			continue;
		last = row->srv_id;
		snprintf(before, sizeof(before), "%s.", row->srv_id);
		ret = add(names, GP_IDENTITY_SRV, before, basis->domain);
	}
	return ret;
}

static int add_mail(struct gp_csr_names *names, const struct gp_publish_basis *basis)
{
	int ret = add(names, GP_IDENTITY_DNS, "", basis->mail_host);

	for (size_t i = 0; i < basis->mx_count && ret == GP_OK; i++)
		ret = add(names, GP_IDENTITY_DNS, "", basis->mx[i]);
	if (ret == GP_OK)
		ret = add(names, GP_IDENTITY_DNS, "", basis->domain);
	return ret == GP_OK ? add_services(names, basis, false) : ret;
}

/* The name is the domain's, on whatever host it is. */
static int add_xmpp(struct gp_csr_names *names, const struct gp_publish_basis *basis)
{
	int ret = add(names, GP_IDENTITY_DNS, "", basis->domain);

	return ret == GP_OK ? add_services(names, basis, true) : ret;
}

static int add_web(struct gp_csr_names *names, const struct gp_publish_basis *basis)
{
	return add(names, GP_IDENTITY_DNS, "mta-sts.", basis->domain);
}

static void choose_common_name(struct gp_csr_names *names)
{
	for (size_t i = 0; i < names->count && !names->common_name; i++) {
		if (names->items[i].kind == GP_IDENTITY_DNS &&
		    strlen(names->items[i].text) <= GP_CSR_COMMON_NAME_MAX)
			names->common_name = names->items[i].text;
	}
}

int gp_csr_names_new(const struct gp_publish_basis *basis, enum gp_csr_service service,
		     struct gp_csr_names **names_out)
{
	static int (*const makers[])(struct gp_csr_names *, const struct gp_publish_basis *) = {
		[GP_CSR_MAIL] = add_mail,
		[GP_CSR_XMPP] = add_xmpp,
		[GP_CSR_WEB] = add_web,
	};
	struct gp_csr_names *names = calloc(1, sizeof(*names));
	int ret = names ? makers[service](names, basis) : GP_E_NOMEM;

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
