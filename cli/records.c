/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>

#include "base/err.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/records_check.h"
#include "conf/check_domains.h"
#include "conf/domain.h"
#include "daemon/process/memory.h"
#include "daemon/supervisor/served_file.h"
#include "daemon/supervisor/snapshot.h"
#include "publish/advice.h"
#include "publish/csr_names.h"
#include "publish/records.h"
#include "tls/csr.h"

enum { OUTPUT_MAX = 16 * 1024 * 1024, FOUND_FAULTS = 1 };

struct options {
	const char *conf;
	const char *domain;
	const char *key;
	const char *service;
	int json, zone, no_cn;
	bool csr, check;
	int all;
};

/* All that a command needs; close_domain() frees it, however far open_domain() came. */
struct domain {
	struct gp_snapshot *snapshot;
	const struct gp_conf_domain *entry;
	struct gp_publish_next_key *next_keys;
	struct gp_publish_basis *basis;
	struct gp_buf complaints;
};

/* ---- words ---- */

static int parse_words(int argc, char **argv, struct options *options)
{
	if (optind < argc && !strcmp(argv[optind], "csr")) {
		options->csr = true;
		optind++;
	} else if (optind < argc && !strcmp(argv[optind], "check")) {
		options->check = true;
		optind++;
	}
	if (optind == argc)
		return gp_usage_error(argv[0], "DOMAIN is missing");
	options->domain = argv[optind++];
	if (optind < argc)
		return gp_usage_error(argv[0], "unexpected argument \"%s\"", argv[optind]);
	if (options->csr && !options->key)
		return gp_usage_error(argv[0], "csr needs --key FILE, the private key that signs");
	if (options->csr ? options->json || options->zone
			 : options->key || options->service || options->no_cn)
		return gp_usage_error(
			argv[0],
			"with csr use only --key, --service, --no-cn and -c; without csr do not "
			"use --key, --service or --no-cn");
	if (options->json && options->zone)
		return gp_usage_error(argv[0], "use either --zone or --json");
	if (options->check ? options->json || options->zone : options->all)
		return gp_usage_error(
			argv[0], "check accepts only --all and -c; without check do not use --all");
	return EX_OK;
}

static int parse(int argc, char **argv, struct options *options)
{
	const struct option table[] = {
		{ "all", no_argument, &options->all, 1 },
		{ "config", required_argument, NULL, 'c' },
		{ "json", no_argument, &options->json, 1 },
		{ "key", required_argument, NULL, 'k' },
		{ "no-cn", no_argument, &options->no_cn, 1 },
		{ "service", required_argument, NULL, 's' },
		{ "zone", no_argument, &options->zone, 1 },
		{ 0 },
	};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "c:", table, NULL)) != -1) {
		if (option == 'c')
			options->conf = optarg;
		else if (option == 'k')
			options->key = optarg;
		else if (option == 's')
			options->service = optarg;
		else if (option != 0)
			return gp_usage_error(argv[0],
					      "unknown option, or its value is missing: %s",
					      argv[optind - 1]);
	}
	return parse_words(argc, argv, options);
}

/* ---- what is served ---- */

static int read_basis(struct domain *d, const char *name)
{
	struct gp_certpack *pack = NULL;
	void *map = NULL;
	size_t len;
	int ret = gp_memory_map(d->snapshot->fds[GP_SEALED_CERTIFICATES], GP_MEMORY_SEALED, &map,
				&len);

	if (ret == GP_OK)
		ret = gp_certpack_open(map, len, &pack);
	if (ret == GP_OK)
		ret = gp_publish_basis_new(d->snapshot->conf, d->entry, name, pack, d->next_keys,
					   &d->basis);
	if (ret != GP_OK)
		gp_buf_appendf(&d->complaints, "%s: %s\n", name, gp_err_name(ret));
	gp_certpack_close(pack);
	if (map)
		munmap(map, len);
	return ret;
}

static int find_entry(struct domain *d, const struct options *options)
{
	d->entry = gp_conf_find_domain(d->snapshot->conf, options->domain);
	if (d->entry)
		return GP_OK;
	gp_buf_appendf(
		&d->complaints,
		"%s: no entry of \"domains\" has \"%s\" among its \"names\": add domains = ( { "
		"names = [ \"%s\" ]; } );\n",
		options->conf, options->domain, options->domain);
	return GP_E_NOT_FOUND;
}

/* EX_OK, or EX_CONFIG with its reason printed. */
static int open_domain(struct domain *d, const struct options *options)
{
	int ret;

	*d = (struct domain){ .snapshot = NULL };
	gp_buf_init(&d->complaints, GP_CONF_ERRORS_MAX);
	/* a file of a directory that cannot be used is no reason to be silent about the others */
	ret = gp_snapshot_load(options->conf, NULL, &d->snapshot, &d->complaints, &d->complaints);
	if (ret == GP_OK)
		ret = find_entry(d, options);
	if (ret == GP_OK)
		ret = gp_snapshot_read_next_keys(d->snapshot, &d->next_keys, &d->complaints);
	if (ret == GP_OK)
		ret = read_basis(d, options->domain);
	fwrite(d->complaints.data, 1, d->complaints.len, stderr);
	gp_buf_reset(&d->complaints);
	return ret == GP_OK ? EX_OK : EX_CONFIG;
}

static void close_domain(struct domain *d)
{
	gp_publish_basis_free(d->basis);
	free(d->next_keys);
	gp_snapshot_free(d->snapshot);
	gp_buf_deinit(&d->complaints);
}

/* ---- records ---- */

/* Has the running gatepost told, in its file, that it serves the policy? */
static void judge_serving(struct domain *d, const struct gp_served_list *served, int read)
{
	const struct gp_conf *conf = d->snapshot->conf;

	if (read != GP_OK || !conf->web.address.text || !*d->basis->policy_id)
		return;
	d->basis->served = gp_served_has(served, d->basis->domain, d->basis->policy_id)
				   ? GP_PUBLISH_SERVED
				   : GP_PUBLISH_NOT_SERVED;
}

/* RFC 8461 section 8.3: records without MTA-STS must not come too early. */
static int refuse_early_removal(struct domain *d, const struct gp_served_list *served)
{
	int64_t until_s, now_s = (int64_t)(gp_time_utc_ms() / 1000);
	enum gp_retire_step step;

	if (d->entry->mta_sts != GP_CONF_STS_OFF)
		return EX_OK;
	step = gp_served_retire(served, d->basis->domain, now_s, &until_s);
	if (step == GP_RETIRE_DONE)
		return EX_OK;
	gp_publish_print_retire(d->basis->domain, step, until_s, &d->complaints);
	fprintf(stderr, "gatepost records: %.*s\n", (int)d->complaints.len,
		(const char *)d->complaints.data);
	return FOUND_FAULTS;
}

static int consider_serving(struct domain *d)
{
	struct gp_served_list served;
	int read = gp_served_file_read(d->snapshot->conf, &served), ret;

	if (read == GP_E_IO)
		fprintf(stderr,
			"gatepost records: cannot read %s/%s: %s. gatepost does not know which "
			"MTA-STS policies senders have in their caches\n",
			d->snapshot->conf->server.state_dir, GP_SERVED_FILE, strerror(errno));
	judge_serving(d, &served, read);
	ret = refuse_early_removal(d, &served);
	gp_served_deinit(&served);
	return ret;
}

static int print_records(const struct domain *d, bool json)
{
	struct gp_records *records = NULL;
	struct gp_buf out;
	int ret = gp_records_new(d->basis, &records);

	gp_buf_init(&out, OUTPUT_MAX);
	if (ret == GP_OK)
		ret = json ? gp_records_print_json(records, &out)
			   : gp_records_print_zone(records, &out);
	if (ret == GP_OK)
		fwrite(out.data, 1, out.len, stdout);
	gp_buf_deinit(&out);
	gp_records_free(records);
	return ret == GP_OK ? EX_OK : EX_OSERR;
}

static int run_check(struct domain *d, const struct options *options)
{
	struct gp_records *records = NULL;
	int ret = consider_serving(d);

	if (ret != EX_OK)
		return ret;
	if (gp_records_new(d->basis, &records) != GP_OK)
		return EX_OSERR;
	ret = gp_records_check(d->snapshot->conf, d->entry, d->basis, records, options->all);
	gp_records_free(records);
	return ret;
}

static int run_records(struct domain *d, const struct options *options)
{
	int ret = consider_serving(d);

	return ret == EX_OK ? print_records(d, options->json) : ret;
}

/* ---- csr ---- */

static int parse_service(const char *word, enum gp_csr_service *service_out)
{
	static const char *const words[] = {
		[GP_CSR_MAIL] = "mail", [GP_CSR_XMPP] = "xmpp", [GP_CSR_WEB] = "web"
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		*service_out = (enum gp_csr_service)i;
		if (!word || !strcmp(word, words[i]))
			return EX_OK;
	}
	return gp_usage_error("records", "--service is mail, xmpp or web, not \"%s\"", word);
}

static int read_key(const char *path, struct gp_buf *out)
{
	FILE *file = fopen(path, "re");
	char piece[4096];
	size_t n;
	int ret = file ? EX_OK : EX_NOINPUT;

	while (file && ret == EX_OK && (n = fread(piece, 1, sizeof(piece), file)) > 0)
		ret = gp_buf_append(out, piece, n) == GP_OK ? EX_OK : EX_DATAERR;
	explicit_bzero(piece, sizeof(piece));
	if (file && ret == EX_OK && ferror(file))
		ret = EX_NOINPUT;
	if (ret != EX_OK)
		fprintf(stderr, "gatepost records: %s: %s\n", path,
			ret == EX_NOINPUT ? strerror(errno) : "the file is too large for a key");
	if (file)
		fclose(file);
	return ret;
}

static int make_csr(const struct domain *d, enum gp_csr_service service,
		    const struct options *options, const struct gp_buf *key)
{
	struct gp_csr_names *names = NULL;
	char error[256] = "out of memory";
	struct gp_buf out;
	int ret = gp_csr_names_new(d->basis, service, &names);

	gp_buf_init(&out, GP_PEM_FILE_MAX);
	if (ret == GP_OK)
		ret = gp_csr_make(gp_str_from(key->data, key->len),
				  options->no_cn ? NULL : names->common_name, names->items,
				  names->count, &out, error, sizeof(error));
	if (ret == GP_OK)
		fwrite(out.data, 1, out.len, stdout);
	else
		fprintf(stderr, "gatepost records: %s: %s\n", options->key, error);
	gp_buf_deinit(&out);
	gp_csr_names_free(names);
	return ret == GP_OK ? EX_OK : EX_DATAERR;
}

static int run_csr(struct domain *d, const struct options *options)
{
	enum gp_csr_service service;
	struct gp_buf key;
	int ret = parse_service(options->service, &service);

	if (ret != EX_OK)
		return ret;
	gp_buf_init(&key, GP_PEM_FILE_MAX);
	ret = read_key(options->key, &key);
	if (ret == EX_OK)
		ret = make_csr(d, service, options, &key);
	gp_buf_deinit(&key);
	return ret;
}

int gp_records_command(int argc, char **argv)
{
	struct options options = { .conf = GP_DEFAULT_CONF };
	struct domain d;
	int ret = parse(argc, argv, &options);

	if (ret != EX_OK)
		return ret;
	ret = open_domain(&d, &options);
	if (ret == EX_OK)
		ret = options.csr     ? run_csr(&d, &options)
		      : options.check ? run_check(&d, &options)
				      : run_records(&d, &options);
	close_domain(&d);
	return ret;
}
