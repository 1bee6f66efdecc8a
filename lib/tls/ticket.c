/* SPDX-License-Identifier: MIT */
#include "tls/ticket.h"

#include <openssl/core_names.h>
#include <openssl/rand.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "base/base64.h"
#include "base/err.h"
#include "tls/ticket_openssl.h"

int gp_ticket_keys_rotate(struct gp_ticket_keys *keys)
{
	struct gp_ticket_key fresh;
	uint32_t older = (keys->current + 1) % GP_TICKET_OWN_KEYS;

	if (RAND_priv_bytes((unsigned char *)&fresh, sizeof(fresh)) != 1)
		return GP_E_TLS;
	atomic_fetch_add(&keys->generation, 1);
	/* those of a file, if there was one, go with the older one */
	explicit_bzero(&keys->keys[GP_TICKET_OWN_KEYS],
		       sizeof(keys->keys) - GP_TICKET_OWN_KEYS * sizeof(fresh));
	memcpy(&keys->keys[older], &fresh, sizeof(fresh));
	keys->current = older;
	keys->count = GP_TICKET_OWN_KEYS;
	atomic_fetch_add(&keys->generation, 1);
	explicit_bzero(&fresh, sizeof(fresh));
	return GP_OK;
}

static int parse_key(struct gp_str line, struct gp_ticket_key *key_out)
{
	struct gp_buf bytes;
	int ret;

	gp_buf_init(&bytes, 2 * sizeof(*key_out));
	ret = gp_base64_decode(line, &bytes);
	if (ret == GP_OK && bytes.len != sizeof(*key_out))
		ret = GP_E_SYNTAX;
	if (ret == GP_OK)
		memcpy(key_out, bytes.data, sizeof(*key_out));
	gp_buf_deinit(&bytes);
	return ret == GP_E_NOMEM ? ret : ret == GP_OK ? GP_OK : GP_E_SYNTAX;
}

int gp_ticket_keys_parse(struct gp_str text, struct gp_ticket_key keys_out[static GP_TICKET_KEYS],
			 size_t *count_out, unsigned *line_out)
{
	int ret = GP_OK;

	*count_out = 0;
	*line_out = 0;
	while (text.len && ret == GP_OK) {
		struct gp_str line = gp_str_split(&text, '\n'), word = gp_str_word(&line);

		++*line_out;
		if (word.len && word.p[word.len - 1] == '\r')
			word.len--;
		if (!word.len)
			continue;
		ret = *count_out < GP_TICKET_KEYS && !gp_str_word(&line).len
			      ? parse_key(word, &keys_out[*count_out])
			      : GP_E_SYNTAX;
		if (ret == GP_OK)
			++*count_out;
	}
	return ret == GP_OK && !*count_out ? GP_E_SYNTAX : ret;
}

void gp_ticket_keys_set(struct gp_ticket_keys *keys, const struct gp_ticket_key *list, size_t count)
{
	atomic_fetch_add(&keys->generation, 1);
	explicit_bzero(keys->keys, sizeof(keys->keys));
	memcpy(keys->keys, list, count * sizeof(*list));
	keys->count = (uint32_t)count;
	keys->current = count > 1 ? (uint32_t)count - 2 : 0;
	atomic_fetch_add(&keys->generation, 1);
}

/* A consistent copy. The writer needs microseconds twice a day. */
static void read_keys(const struct gp_ticket_keys *shared, struct gp_ticket_keys *copy)
{
	uint32_t before;

	do {
		before = atomic_load(&shared->generation);
		copy->current = shared->current;
		copy->count = shared->count;
		memcpy(copy->keys, shared->keys, sizeof(copy->keys));
		atomic_thread_fence(memory_order_acquire);
	} while (before % 2 || before != atomic_load(&shared->generation));
}

static int ctx_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

static int init_mac(EVP_MAC_CTX *mac, const struct gp_ticket_key *key)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)(uintptr_t)key->hmac,
						  sizeof(key->hmac)),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){ "SHA256" }, 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_MAC_CTX_set_params(mac, params);
}

/* 1: done */
static int seal(const struct gp_ticket_keys *keys, unsigned char *name, unsigned char *iv,
		EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	const struct gp_ticket_key *key = &keys->keys[keys->current];

	if (RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1)
		return -1;
	memcpy(name, key->name, sizeof(key->name));
	if (EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->aes, iv) != 1 ||
	    init_mac(mac, key) != 1)
		return -1;
	return 1;
}

/* 0: unknown key, full handshake; 1: done; 2: done, and the client should get a new ticket */
static int open_ticket(const struct gp_ticket_keys *keys, const unsigned char *name,
		       const unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	for (uint32_t i = 0; i < keys->count; i++) {
		const struct gp_ticket_key *key = &keys->keys[i];

		if (memcmp(name, key->name, sizeof(key->name)) != 0)
			continue;
		if (init_mac(mac, key) != 1 ||
		    EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->aes, iv) != 1)
			return -1;
		return i == keys->current ? 1 : 2;
	}
	return 0;
}

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
		     EVP_MAC_CTX *mac, int encrypt)
{
	const struct gp_ticket_keys *shared = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl),
								  ctx_index());
	struct gp_ticket_keys keys;
	int ret;

	read_keys(shared, &keys);
	ret = encrypt ? seal(&keys, name, iv, cipher, mac)
		      : open_ticket(&keys, name, iv, cipher, mac);
	/* a ticket used twice can be recognised (RFC 8446 appendix C.4) */
	if (!encrypt && ret == 1 && SSL_version(ssl) >= TLS1_3_VERSION)
		ret = 2;
	explicit_bzero(&keys, sizeof(keys));
	return ret;
}

int gp_ticket_keys_attach(SSL_CTX *ctx, const struct gp_ticket_keys *keys)
{
	if (SSL_CTX_set_ex_data(ctx, ctx_index(), (void *)(uintptr_t)keys) != 1 ||
	    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket) != 1)
		return GP_E_TLS;
	return GP_OK;
}
