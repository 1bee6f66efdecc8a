/* SPDX-License-Identifier: MIT */
#include "tls/certpack.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* pack  = magic *entry
 * entry = label names chain key, each a 32 bit length (host order: one machine) and octets;
 * names = DNS names in lower case, separated by blanks */
static const char magic[8] = "gpcert01";

enum { RSA_BITS_MIN = 2048, EC_BITS_MIN = 224, DNS_NAME_MAX = 255 };

/* ---- writing: the supervisor ---- */

static int put_field(struct gp_buf *pack, const void *data, size_t len)
{
	uint32_t prefix = (uint32_t)len;
	int ret = gp_buf_append(pack, &prefix, sizeof(prefix));

	return ret == GP_OK ? gp_buf_append(pack, data, len) : ret;
}

int gp_certpack_begin(struct gp_buf *pack)
{
	gp_buf_init(pack, GP_CERTPACK_MAX);
	return gp_buf_append(pack, magic, sizeof(magic));
}

static int no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf, (void)size, (void)writing, (void)arg;
	return -1;
}

static X509 *read_leaf(struct gp_str pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.len);
	X509 *leaf = bio ? PEM_read_bio_X509(bio, NULL, no_passphrase, NULL) : NULL;

	BIO_free(bio);
	return leaf;
}

static EVP_PKEY *read_key(struct gp_str pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.len);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

	BIO_free(bio);
	return key;
}

static bool is_dns_text(const ASN1_STRING *text)
{
	int len = ASN1_STRING_length(text);
	const unsigned char *p = ASN1_STRING_get0_data(text);

	if (len < 1 || len > DNS_NAME_MAX)
		return false;
	for (int i = 0; i < len; i++) {
		if (p[i] <= ' ' || p[i] >= 0x7f)
			return false;
	}
	return true;
}

static int append_dns_names(X509 *leaf, struct gp_buf *out)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	int ret = GP_OK;

	for (int i = 0; ret == GP_OK && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type != GEN_DNS || !is_dns_text(name->d.dNSName))
			continue;
		if (out->len)
			ret = gp_buf_append_byte(out, ' ');
		if (ret == GP_OK)
			ret = gp_buf_append(out, ASN1_STRING_get0_data(name->d.dNSName),
					    (size_t)ASN1_STRING_length(name->d.dNSName));
	}
	GENERAL_NAMES_free(names);
	for (size_t i = 0; i < out->len; i++) {
		if (out->data[i] >= 'A' && out->data[i] <= 'Z')
			out->data[i] |= 0x20;
	}
	return ret;
}

static int64_t utc_seconds(const ASN1_TIME *time)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = 0, seconds = 0;

	if (epoch)
		ASN1_TIME_diff(&days, &seconds, epoch, time);
	ASN1_TIME_free(epoch);
	return (int64_t)days * 86400 + seconds;
}

static bool signed_with_weak_digest(X509 *leaf)
{
	int digest = NID_undef;

	X509_get_signature_info(leaf, &digest, NULL, NULL, NULL);
	return digest == NID_md5 || digest == NID_sha1;
}

/* A sentence, or NULL when all is well. */
static const char *judge(X509 *leaf, EVP_PKEY *key)
{
	if (!leaf)
		return "the chain file holds no certificate in PEM form";
	if (!key)
		return "the key file holds no unencrypted private key in PEM form";
	if (X509_check_private_key(leaf, key) != 1)
		return "the key does not belong to the first certificate of the chain";
	if ((EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS")) &&
	    EVP_PKEY_get_bits(key) < RSA_BITS_MIN)
		return "RSA keys need 2048 bits or more (RFC 9325 section 4.5)";
	if (EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) < EC_BITS_MIN)
		return "elliptic curves need 224 bits or more (RFC 9325 section 4.5)";
	if (signed_with_weak_digest(leaf))
		return "the certificate is signed with MD5 or SHA-1 (RFC 9325 section 4.5)";
	return NULL;
}

static int put_entry(struct gp_buf *pack, const char *label, const struct gp_buf *names,
		     struct gp_str chain_pem, struct gp_str key_pem)
{
	size_t before = pack->len;
	int ret = put_field(pack, label, strlen(label));

	if (ret == GP_OK)
		ret = put_field(pack, names->data, names->len);
	if (ret == GP_OK)
		ret = put_field(pack, chain_pem.p, chain_pem.len);
	if (ret == GP_OK)
		ret = put_field(pack, key_pem.p, key_pem.len);
	if (ret != GP_OK)
		pack->len = before;
	return ret;
}

int gp_certpack_add(struct gp_buf *pack, const char *label, struct gp_str chain_pem,
		    struct gp_str key_pem, struct gp_certificate_info *info_out, char *error_out,
		    size_t error_size)
{
	X509 *leaf = read_leaf(chain_pem);
	EVP_PKEY *key = read_key(key_pem);
	const char *sentence = judge(leaf, key);
	struct gp_buf names;
	int ret = GP_E_CONF;

	gp_buf_init(&names, GP_PEM_FILE_MAX);
	if (sentence) {
		snprintf(error_out, error_size, "%s", sentence);
		goto out;
	}
	ret = append_dns_names(leaf, &names);
	if (ret == GP_OK)
		ret = put_entry(pack, label, &names, chain_pem, key_pem);
	if (ret != GP_OK) {
		snprintf(error_out, error_size, "%s", gp_err_name(ret));
		goto out;
	}
	gp_str_copy(gp_str_from(names.data, names.len), info_out->names, sizeof(info_out->names));
	info_out->not_before_utc = utc_seconds(X509_get0_notBefore(leaf));
	info_out->not_after_utc = utc_seconds(X509_get0_notAfter(leaf));
out:
	ERR_clear_error();
	gp_buf_deinit(&names);
	EVP_PKEY_free(key);
	X509_free(leaf);
	return ret;
}

/* ---- reading: the workers ---- */

struct name {
	struct gp_str text;
	size_t index;
};

struct gp_certpack {
	struct gp_certpack_entry *entries;
	size_t entry_count;
	struct name *names; /* sorted */
	size_t name_count;
};

static int take_field(struct gp_str *rest, struct gp_str *field_out)
{
	uint32_t len;

	if (rest->len < sizeof(len))
		return GP_E_SYNTAX;
	memcpy(&len, rest->p, sizeof(len));
	if (len > rest->len - sizeof(len))
		return GP_E_SYNTAX;
	*field_out = (struct gp_str){ rest->p + sizeof(len), len };
	rest->p += sizeof(len) + len;
	rest->len -= sizeof(len) + len;
	return GP_OK;
}

static int take_entry(struct gp_str *rest, struct gp_certpack_entry *entry, struct gp_str *names)
{
	int ret = take_field(rest, &entry->label);

	if (ret == GP_OK)
		ret = take_field(rest, names);
	if (ret == GP_OK)
		ret = take_field(rest, &entry->chain_pem);
	return ret == GP_OK ? take_field(rest, &entry->key_pem) : ret;
}

/* The array with room for one more element (it doubles at powers of two), or NULL; the old one
 * is then still there. */
static void *grow(void *array, size_t count, size_t element_size)
{
	if (count & (count - 1))
		return array;
	return reallocarray(array, count ? count * 2 : 1, element_size);
}

static int add_names(struct gp_certpack *pack, struct gp_str names, size_t index)
{
	while (names.len) {
		struct gp_str word = gp_str_word(&names);
		struct name *larger = grow(pack->names, pack->name_count, sizeof(*larger));

		if (!larger)
			return GP_E_NOMEM;
		pack->names = larger;
		pack->names[pack->name_count++] = (struct name){ word, index };
	}
	return GP_OK;
}

static int compare_text(struct gp_str a, struct gp_str b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.p, b.p, len) : 0;

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Of two certificates for one name the first configured wins. */
static int compare_names(const void *a_arg, const void *b_arg)
{
	const struct name *a = a_arg, *b = b_arg;
	int order = compare_text(a->text, b->text);

	return order ? order : (a->index > b->index) - (a->index < b->index);
}

static int read_entries(struct gp_certpack *pack, struct gp_str rest)
{
	while (rest.len) {
		struct gp_certpack_entry *larger = grow(pack->entries, pack->entry_count,
							sizeof(*larger));
		struct gp_str names;
		int ret;

		if (!larger)
			return GP_E_NOMEM;
		pack->entries = larger;
		ret = take_entry(&rest, &pack->entries[pack->entry_count], &names);
		if (ret == GP_OK)
			ret = add_names(pack, names, pack->entry_count);
		if (ret != GP_OK)
			return ret;
		pack->entry_count++;
	}
	return GP_OK;
}

int gp_certpack_open(const uint8_t *data, size_t len, struct gp_certpack **pack_out)
{
	struct gp_certpack *pack;
	int ret;

	if (len < sizeof(magic) || memcmp(data, magic, sizeof(magic)) != 0)
		return GP_E_SYNTAX;
	pack = calloc(1, sizeof(*pack));
	if (!pack)
		return GP_E_NOMEM;
	ret = read_entries(pack, gp_str_from(data + sizeof(magic), len - sizeof(magic)));
	if (ret != GP_OK) {
		gp_certpack_close(pack);
		return ret;
	}
	if (pack->name_count)
		qsort(pack->names, pack->name_count, sizeof(*pack->names), compare_names);
	*pack_out = pack;
	return GP_OK;
}

void gp_certpack_close(struct gp_certpack *pack)
{
	if (!pack)
		return;
	free(pack->entries);
	free(pack->names);
	free(pack);
}

size_t gp_certpack_count(const struct gp_certpack *pack)
{
	return pack->entry_count;
}

const struct gp_certpack_entry *gp_certpack_entry(const struct gp_certpack *pack, size_t index)
{
	return &pack->entries[index];
}

int gp_certpack_find_label(const struct gp_certpack *pack, const char *label, size_t *index_out)
{
	for (size_t i = 0; i < pack->entry_count; i++) {
		if (!gp_str_equal(pack->entries[i].label, label))
			continue;
		*index_out = i;
		return GP_OK;
	}
	return GP_E_NOT_FOUND;
}

static int find_text(const struct gp_certpack *pack, struct gp_str text, size_t *index_out)
{
	size_t low = 0, high = pack->name_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_text(pack->names[middle].text, text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == pack->name_count || compare_text(pack->names[low].text, text) != 0)
		return GP_E_NOT_FOUND;
	*index_out = pack->names[low].index;
	return GP_OK;
}

int gp_certpack_find_name(const struct gp_certpack *pack, const char *name, size_t *index_out)
{
	char lower[DNS_NAME_MAX + 1];
	char *dot;
	size_t len = strlen(name);

	if (len && name[len - 1] == '.')
		len--;
	if (!len || len >= sizeof(lower))
		return GP_E_NOT_FOUND;
	memcpy(lower, name, len);
	lower[len] = '\0';
	gp_ascii_lower(lower);
	if (find_text(pack, gp_str_of(lower), index_out) == GP_OK)
		return GP_OK;
	/* "*" stands for the whole first label (RFC 9525 section 6.3) */
	dot = strchr(lower, '.');
	if (!dot || dot == lower)
		return GP_E_NOT_FOUND;
	dot[-1] = '*';
	return find_text(pack, gp_str_of(dot - 1), index_out);
}
