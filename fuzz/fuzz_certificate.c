/* SPDX-License-Identifier: MIT */
/* The first look at a certificate and its key. The input is two pieces of DER, each behind its
 * length of 16 bits; what was found must lie within them. */
#include "tls/certificate_scan.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static struct gp_str take(const uint8_t **data, size_t *len)
{
	struct gp_str piece = { "", 0 };
	size_t size;

	if (*len < 2)
		return piece;
	size = (size_t)((*data)[0] << 8 | (*data)[1]);
	*data += 2;
	*len -= 2;
	piece = gp_str_from(*data, size < *len ? size : *len);
	*data += piece.len;
	*len -= piece.len;
	return piece;
}

static void must_be_inside(struct gp_str part, struct gp_str whole)
{
	MUST(!part.len || (part.p >= whole.p && part.p + part.len <= whole.p + whole.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const labels[] = { "PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY",
					      "CERTIFICATE" };
	struct gp_str certificate = take(&data, &len), key = take(&data, &len);
	struct gp_certificate_scan scan;
	int fits = 0;

	if (!gp_certificate_scan(certificate, &scan))
		return 0;
	must_be_inside(scan.not_before, certificate);
	must_be_inside(scan.not_after, certificate);
	must_be_inside(scan.algorithm, certificate);
	must_be_inside(scan.public_key, certificate);
	must_be_inside(scan.alt_names, certificate);
	MUST(scan.public_key.len > 0);
	for (size_t i = 0; i < sizeof(labels) / sizeof(*labels); i++)
		fits += gp_certificate_scan_key(&scan, labels[i], key);
	MUST(fits <= 2);
	MUST(!gp_certificate_scan_key(&scan, "CERTIFICATE", key));
	return 0;
}
