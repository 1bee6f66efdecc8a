/* SPDX-License-Identifier: MIT */
#ifndef GP_DNS_RESOLVER_H
#define GP_DNS_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/provenance.h"

/* Questions to the DNS, answered by libunbound, which validates by itself (RFC 7672 section 2.1.1:
 * no AD bit of anybody else is believed). A thread of its own resolves; nothing here blocks. */

enum { GP_DNS_NAME_SIZE = 254 }; /* 253 bytes and a NUL, without the dot of the root */
enum { GP_DNS_ERROR_SIZE = 256 };

enum gp_dns_type {
	GP_DNS_A = 1,
	GP_DNS_NS = 2,
	GP_DNS_CNAME = 5,
	GP_DNS_MX = 15,
	GP_DNS_TXT = 16,
	GP_DNS_AAAA = 28,
	GP_DNS_SRV = 33,
	GP_DNS_DNSKEY = 48,
	GP_DNS_TLSA = 52
};

struct gp_dns_rdata {
	const uint8_t *data;
	size_t len;
};

/* "No such name" and "no such records" are answers, with a provenance as any other; they have no
 * records. All of it lives as long as the call of gp_dns_answered. */
struct gp_dns_answer {
	enum gp_provenance
		provenance; /* never GP_UNASKED; the weakest link of a chain of aliases */
	bool name_exists;
	const char
		*canonical; /* at the end of all aliases, lower case; the name asked for if none */
	const struct gp_dns_rdata *records;
	size_t count;
	uint32_t ttl_s;
	const char *why; /* a sentence for GP_BOGUS and GP_DNS_ERROR, else NULL */
};

typedef void (*gp_dns_answered)(void *arg, const struct gp_dns_answer *answer);

struct gp_resolver_config {
	const char *unbound_conf;      /* a file in the syntax of unbound.conf(5), or NULL */
	const char *trust_anchors;     /* a file of DS or DNSKEY records, or NULL */
	const char *const *forwarders; /* addresses ("192.0.2.1", "192.0.2.1@5353"), or NULL */
	size_t forwarder_count;
};

struct gp_resolver;

/* On GP_E_CONF or GP_E_NOMEM a sentence stands in `error`. Starts a thread at the first question. */
int gp_resolver_new(const struct gp_resolver_config *config, struct gp_resolver **resolver_out,
		    char error[static GP_DNS_ERROR_SIZE]);
void gp_resolver_free(struct gp_resolver *resolver);

/* Readable when gp_resolver_process has something to do. */
int gp_resolver_fd(const struct gp_resolver *resolver);
void gp_resolver_process(struct gp_resolver *resolver);

/* Ask for the records of `type` at `name`, an absolute name without final dot, or ".". `answered` is called
 * once, from gp_resolver_process, unless the question is cancelled before. A name server that is
 * silent keeps a question for half a minute: have a deadline. GP_OK, GP_E_SYNTAX for what can be no
 * name, GP_E_STATE without a resolver, or GP_E_NOMEM. */
struct gp_dns_question;
int gp_resolver_ask(struct gp_resolver *resolver, const char *name, enum gp_dns_type type,
		    gp_dns_answered answered, void *arg, struct gp_dns_question **question_out);

/* How many questions have no answer yet: with any it must not be freed. */
size_t gp_resolver_pending(const struct gp_resolver *resolver);

/* Before its answer has come: `answered` will not be called. NULL is fine. */
void gp_dns_question_cancel(struct gp_dns_question *question);

#endif
