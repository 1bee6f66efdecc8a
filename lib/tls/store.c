/* SPDX-License-Identifier: MIT */
#include "tls/store_openssl.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/err.h"
#include "tls/credential.h"
#include "tls/profile.h"
#include "tls/renegotiation_openssl.h"
#include "tls/staple_openssl.h"
#include "tls/ticket_openssl.h"
#include "tls/turn_openssl.h"

enum { TWINS_MAX = 8 };

struct gp_tls_store {
	unsigned references;
	struct gp_certpack *pack;
	void *mapping;
	size_t mapping_len;
	const struct gp_ticket_keys *tickets;
	SSL_CTX **contexts; /* one place per certificate, NULL until it is needed */
};

static void set_modes(SSL_CTX *ctx)
{
	/* idle connections own no buffers; a blocked write is repeated from another address; the
	 * chain is the file's, and not sought anew in each handshake */
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
}

/* Of twins with keys of one kind the first wins, so it comes last. */
static bool use_twins(SSL_CTX *ctx, const struct gp_certpack *pack, size_t index)
{
	size_t twins[TWINS_MAX], count = 0;
	bool ok = true;

	for (; count < TWINS_MAX && index < gp_certpack_count(pack);
	     index = gp_certpack_next_twin(pack, index))
		twins[count++] = index;
	while (ok && count--) {
		const struct gp_certpack_entry *entry = gp_certpack_entry(pack, twins[count]);

		ok = gp_credential_use(ctx, entry->chain_pem, entry->key_pem, entry->ocsp);
	}
	return ok;
}

/* `index` is the first of its twins. */
static SSL_CTX *context_new(const struct gp_tls_store *store, size_t index,
			    void (*prepare)(SSL_CTX *ctx))
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	const struct gp_tls_rule *failed;

	if (!ctx)
		return NULL;
	if (gp_tls_profile_strict(ctx, GP_TLS_SERVER, &failed) != GP_OK ||
	    !use_twins(ctx, store->pack, index))
		goto fail;
	gp_turn_note_keys(ctx);
	set_modes(ctx);
	/* one system call for a record, not one for its head and one for its body */
	SSL_CTX_set_read_ahead(ctx, 1);
	gp_renegotiation_watch(ctx);
	gp_staple_enable(ctx);
	prepare(ctx);
	if (!store->tickets) {
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
		SSL_CTX_set_num_tickets(ctx, 0);
	} else if (gp_ticket_keys_attach(ctx, store->tickets) != GP_OK) {
		goto fail;
	}
	return ctx;
fail:
	SSL_CTX_free(ctx);
	return NULL;
}

SSL_CTX *gp_tls_store_context(struct gp_tls_store *store, size_t index,
			      void (*prepare)(SSL_CTX *ctx))
{
	index = gp_certpack_first_twin(store->pack, index);
	if (!store->contexts[index])
		store->contexts[index] = context_new(store, index, prepare);
	return store->contexts[index];
}

struct gp_tls_store *gp_tls_store_new(struct gp_certpack *pack, void *mapping, size_t mapping_len,
				      const struct gp_ticket_keys *tickets)
{
	struct gp_tls_store *store = calloc(1, sizeof(*store));
	size_t count = gp_certpack_count(pack);

	if (!store)
		return NULL;
	store->contexts = calloc(count ? count : 1, sizeof(*store->contexts));
	if (!store->contexts) {
		free(store);
		return NULL;
	}
	store->references = 1;
	store->pack = pack;
	store->mapping = mapping;
	store->mapping_len = mapping_len;
	store->tickets = tickets;
	return store;
}

void gp_tls_store_unref(struct gp_tls_store *store)
{
	if (!store || --store->references)
		return;
	for (size_t i = 0; i < gp_certpack_count(store->pack); i++)
		SSL_CTX_free(store->contexts[i]);
	gp_certpack_close(store->pack);
	if (store->mapping)
		munmap(store->mapping, store->mapping_len);
	free(store->contexts);
	free(store);
}

const struct gp_certpack *gp_tls_store_pack(const struct gp_tls_store *store)
{
	return store->pack;
}

void gp_tls_store_ref(struct gp_tls_store *store)
{
	store->references++;
}
