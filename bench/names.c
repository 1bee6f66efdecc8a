/* SPDX-License-Identifier: MIT */
/*
 * names: a directory of certificates, one for each of n0.NAME, n1.NAME ..., and how long it takes to find
 * one of them by its name.
 */
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "tls/certpack.h"

enum { PATH_SIZE = 512, DAYS = 30, LOOKUPS = 2000000 };

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "names: %s\n", what);
	exit(1);
}

static X509 *certificate_new(EVP_PKEY *key, const char *name)
{
	X509 *x = X509_new();
	char names[PATH_SIZE];
	X509_EXTENSION *extension;

	must(x != NULL, "memory");
	snprintf(names, sizeof(names), "DNS:%s", name);
	extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
	must(extension != NULL && X509_add_ext(x, extension, -1) == 1, "subjectAltName");
	X509_EXTENSION_free(extension);
	must(X509_set_version(x, X509_VERSION_3) == 1 &&
		     ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), (uint64_t)rand()) == 1 &&
		     X509_gmtime_adj(X509_getm_notBefore(x), -3600) != NULL &&
		     X509_time_adj_ex(X509_getm_notAfter(x), DAYS, 0, NULL) != NULL &&
		     X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
						(const unsigned char *)"names", -1, -1, 0) == 1 &&
		     X509_set_issuer_name(x, X509_get_subject_name(x)) == 1 &&
		     X509_set_pubkey(x, key) == 1 && X509_sign(x, key, EVP_sha256()) > 0,
	     "certificate");
	return x;
}

/* Chain and key as PEM, in `out`. */
static void print_one(BIO *out, const char *name)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x;

	must(key != NULL, "key");
	x = certificate_new(key, name);
	must(PEM_write_bio_X509(out, x) == 1 &&
		     PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) == 1,
	     "PEM");
	X509_free(x);
	EVP_PKEY_free(key);
}

static void make_directory(const char *directory, size_t count, const char *name)
{
	char path[2 * PATH_SIZE], full[PATH_SIZE];

	for (size_t i = 0; i < count; i++) {
		BIO *out;

		snprintf(full, sizeof(full), "n%zu.%s", i, name);
		snprintf(path, sizeof(path), "%s/%s.pem", directory, full);
		out = BIO_new_file(path, "w");
		must(out != NULL, path);
		print_one(out, full);
		BIO_free(out);
	}
}

static struct gp_certpack *pack_new(size_t count, const char *name, struct gp_buf *bytes)
{
	struct gp_certificate_judge *judge = gp_certificate_judge_new();
	struct gp_certificate_info info;
	struct gp_certpack *pack = NULL;
	char full[PATH_SIZE], error[PATH_SIZE];

	must(judge != NULL && gp_certpack_begin(bytes) == GP_OK, "memory");
	for (size_t i = 0; i < count; i++) {
		BIO *text = BIO_new(BIO_s_mem());
		struct gp_certpack_entry entry = { 0 };
		char *pem;
		long len;

		snprintf(full, sizeof(full), "n%zu.%s", i, name);
		print_one(text, full);
		len = BIO_get_mem_data(text, &pem);
		entry.label = gp_str_of(full);
		entry.chain_pem = entry.key_pem = (struct gp_str){ pem, (size_t)len };
		must(gp_certpack_add(bytes, judge, &entry, &info, error, sizeof(error)) == GP_OK,
		     error);
		BIO_free(text);
	}
	gp_certificate_judge_free(judge);
	must(gp_certpack_open(bytes->data, bytes->len, &pack) == GP_OK, "pack");
	return pack;
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Names in no order, made beforehand so that only the look-up is timed. */
static void time_lookups(size_t count, const char *name)
{
	static char asked[4096][PATH_SIZE];
	struct gp_buf bytes;
	struct gp_certpack *pack = pack_new(count, name, &bytes);
	size_t index = 0, missed = 0;
	double start;

	for (size_t i = 0; i < 4096; i++)
		snprintf(asked[i], sizeof(asked[i]), "n%zu.%s", (size_t)rand() % count, name);
	start = now_s();
	for (size_t i = 0; i < LOOKUPS; i++)
		missed += gp_certpack_find_name(pack, asked[i % 4096], &index) != GP_OK;
	printf("{\"names\": %zu, \"lookup_ns\": %.1f, \"missed\": %zu}\n", count,
	       (now_s() - start) * 1e9 / LOOKUPS, missed);
	gp_certpack_close(pack);
	gp_buf_deinit(&bytes);
}

int main(int argc, char **argv)
{
	size_t count;

	if (argc != 4 && argc != 3) {
		fputs("usage: names COUNT NAME [DIRECTORY]\n"
		      "With a directory it is filled, else look-ups are timed.\n",
		      stderr);
		return 64;
	}
	count = strtoul(argv[1], NULL, 10);
	must(count > 0, "no names");
	if (argc == 4)
		make_directory(argv[3], count, argv[2]);
	else
		time_lookups(count, argv[2]);
	return 0;
}
