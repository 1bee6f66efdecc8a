/* SPDX-License-Identifier: MIT */
#include "dane/base.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/err.h"
#include "base/str.h"

static bool same_name(const char *a, const char *b)
{
	return gp_str_equal_nocase(gp_str_of(a), b);
}

enum gp_provenance gp_provenance_worse(enum gp_provenance a, enum gp_provenance b)
{
	return a > b ? a : b;
}

int gp_dane_owner_name(const char *base, uint16_t port, char out[static GP_DANE_NAME_SIZE])
{
	int len = snprintf(out, GP_DANE_NAME_SIZE, "_%u._tcp.%s", port, base);

	return len < 0 || len >= GP_DANE_NAME_SIZE ? GP_E_LIMIT : GP_OK;
}

/* ---- steps ---- */

static void end(struct gp_dane_search *search, enum gp_dane_question how, const char *reason,
		struct gp_dane_ask *ask_out)
{
	search->state = how;
	*ask_out = (struct gp_dane_ask){ .question = how, .reason = reason };
}

static void fail(struct gp_dane_search *search, enum gp_provenance provenance, const char *reason,
		 struct gp_dane_ask *ask_out)
{
	end(search, GP_DANE_FAILED, reason, ask_out);
	ask_out->provenance = provenance == GP_BOGUS ? GP_BOGUS : GP_DNS_ERROR;
}

static void ask(struct gp_dane_search *search, enum gp_dane_question question,
		struct gp_dane_ask *ask_out)
{
	search->state = question;
	*ask_out = (struct gp_dane_ask){ .question = question };
	gp_str_copy(gp_str_of(search->host), ask_out->name, sizeof(ask_out->name));
}

/* A name that is too long to have TLSA records has none. */
static void ask_next_candidate(struct gp_dane_search *search, struct gp_dane_ask *ask_out)
{
	for (; search->next < search->count; search->next++) {
		ask(search, GP_DANE_ASK_TLSA, ask_out);
		if (gp_dane_owner_name(search->candidates[search->next], search->port,
				       ask_out->name) == GP_OK)
			return;
	}
	end(search, GP_DANE_NOTHING, "there are no secure TLSA records (RFC 7672 section 2.2.3)",
	    ask_out);
}

static bool is_address(const char *host)
{
	struct in6_addr address;

	return host[0] == '[' || inet_pton(AF_INET, host, &address) == 1 ||
	       inet_pton(AF_INET6, host, &address) == 1;
}

void gp_dane_search_init(struct gp_dane_search *search, const char *host, uint16_t port,
			 struct gp_dane_ask *ask_out)
{
	*search = (struct gp_dane_search){ .host = host, .port = port };
	if (is_address(host))
		end(search, GP_DANE_NOT_ASKED,
		    "DANE does not apply to an address (RFC 7672 section 2.2)", ask_out);
	else
		ask(search, GP_DANE_ASK_ADDRESSES, ask_out);
}

static void add_candidate(struct gp_dane_search *search, const char *name)
{
	search->candidates[search->count++] = name;
}

static bool gave_addresses(struct gp_dane_family family)
{
	return gp_provenance_is_answer(family.provenance) && family.count;
}

enum gp_provenance gp_dane_join_families(struct gp_dane_family a, struct gp_dane_family b)
{
	if (!gp_provenance_is_answer(a.provenance) && gave_addresses(b))
		return b.provenance;
	if (!gp_provenance_is_answer(b.provenance) && gave_addresses(a))
		return a.provenance;
	if (a.provenance == GP_UNASKED || b.provenance == GP_UNASKED)
		return GP_DNS_ERROR;
	return gp_provenance_worse(a.provenance, b.provenance);
}

void gp_dane_search_told_addresses(struct gp_dane_search *search, enum gp_provenance joined,
				   size_t count, const char *expanded, struct gp_dane_ask *ask_out)
{
	bool alias = expanded && !same_name(expanded, search->host);

	if (!gp_provenance_is_answer(joined)) {
		fail(search, joined, "the address lookup failed (RFC 7672 section 2.2.2)", ask_out);
	} else if (!count) {
		end(search, GP_DANE_NO_ADDRESS, "it has no address (RFC 7672 section 2.2.2)",
		    ask_out);
	} else if (joined == GP_INSECURE && alias) {
		ask(search, GP_DANE_ASK_ALIAS, ask_out);
	} else if (joined == GP_INSECURE) {
		end(search, GP_DANE_NOT_ASKED,
		    "its addresses are not signed (RFC 7672 section 2.2.2)", ask_out);
	} else {
		if (alias)
			add_candidate(search, expanded);
		add_candidate(search, search->host);
		ask_next_candidate(search, ask_out);
	}
}

void gp_dane_search_told_alias(struct gp_dane_search *search, enum gp_provenance alias,
			       struct gp_dane_ask *ask_out)
{
	if (!gp_provenance_is_answer(alias)) {
		fail(search, alias, "the CNAME lookup failed (RFC 7672 section 2.2.2)", ask_out);
	} else if (alias == GP_INSECURE) {
		end(search, GP_DANE_NOT_ASKED, "its CNAME is not signed (RFC 7672 section 2.2.2)",
		    ask_out);
	} else {
		add_candidate(search, search->host);
		ask_next_candidate(search, ask_out);
	}
}

void gp_dane_search_told_tlsa(struct gp_dane_search *search, enum gp_provenance provenance,
			      size_t count, struct gp_dane_ask *ask_out)
{
	const char *base = search->candidates[search->next];

	if (!gp_provenance_is_answer(provenance)) {
		fail(search, provenance, "the TLSA lookup failed (RFC 7672 section 2.1.2)",
		     ask_out);
	} else if (provenance == GP_SECURE && count) {
		end(search, GP_DANE_FOUND, "there are secure TLSA records (RFC 7672 section 2.2.3)",
		    ask_out);
		gp_str_copy(gp_str_of(base), ask_out->name, sizeof(ask_out->name));
	} else {
		search->next++;
		ask_next_candidate(search, ask_out);
	}
}

/* ---- names ---- */

static void add_name(struct gp_dane_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++) {
		if (same_name(names->names[i], name))
			return;
	}
	names->names[names->count++] = name;
}

struct gp_dane_names gp_dane_reference_names(const struct gp_dane_route *route)
{
	struct gp_dane_names names = { { route->base }, 1 };
	const char *expanded = route->expanded_next_hop;

	if (route->by_mx && route->mx == GP_SECURE) {
		add_name(&names, route->next_hop);
		if (expanded)
			add_name(&names, expanded);
	} else if (!route->by_mx && expanded && same_name(route->base, expanded)) {
		add_name(&names, route->next_hop);
	}
	return names;
}
