/* SPDX-License-Identifier: MIT */
#ifndef GP_PUBLISH_BASIS_H
#define GP_PUBLISH_BASIS_H

#include "conf/conf.h"
#include "identity/domain.h"
#include "identity/peer.h"
#include "publish/policy.h"
#include "tls/certpack.h"

/* All that the records of one domain follow from, as plain data: facts_new fills it from the
 * configuration and the certificates that the edge serves; records.h and csr_names.h judge it. Names
 * have A-labels and no final dot. */

/* A service that clients can reach. */
struct gp_publish_service {
	int role; /* enum gp_role */
	uint16_t port;
};

/* A key with which a port answers, now or next: of the hosts of the domain's entry, and of those that
 * other entries have in the domain's zone. */
struct gp_publish_key {
	char host[GP_DOMAIN_SIZE];
	uint16_t port;
	bool is_next;
	uint8_t spki_sha256[GP_SHA256_BYTES];
};

/* Is the policy with this id the one that senders get? */
enum gp_publish_served { GP_PUBLISH_SERVED_UNKNOWN, GP_PUBLISH_SERVED, GP_PUBLISH_NOT_SERVED };

struct gp_publish_basis {
	char domain[GP_DOMAIN_SIZE];
	char mail_host[GP_DOMAIN_SIZE];
	char xmpp_host[GP_DOMAIN_SIZE];
	char web_host[GP_DOMAIN_SIZE];
	bool is_signed;
	char policy_id[GP_PUBLISH_ID_SIZE]; /* "": no policy */
	enum gp_publish_served served;
	const char *const *rua;
	size_t rua_count;
	bool elsewhere[GP_ROLES];   /* another server's business */
	char (*mx)[GP_DOMAIN_SIZE]; /* that are this gatepost */
	size_t mx_count;
	struct gp_publish_service *services; /* each pair once */
	size_t service_count;
	struct gp_publish_key *keys; /* each once; the current ones before the next ones */
	size_t key_count;
};

/* The next key of a certificate of the configuration. */
struct gp_publish_next_key {
	bool known;
	uint8_t spki_sha256[GP_SHA256_BYTES];
};

/* `name` is one of the names of `domain`. `pack` are the certificates as the edge has them;
 * `next_keys` has a place for each of conf->certificates. The basis point into `conf`. Whether the
 * policy is served is left open. GP_OK, GP_E_SYNTAX or GP_E_NOMEM. */
int gp_publish_basis_new(const struct gp_conf *conf, const struct gp_conf_domain *domain,
			 const char *name, const struct gp_certpack *pack,
			 const struct gp_publish_next_key *next_keys,
			 struct gp_publish_basis **facts_out);
void gp_publish_basis_free(struct gp_publish_basis *basis);

/* Is there a service of that role? */
bool gp_publish_offers(const struct gp_publish_basis *basis, int role);

#endif
