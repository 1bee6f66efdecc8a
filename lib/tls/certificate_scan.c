/* SPDX-License-Identifier: MIT */
#include "tls/certificate_scan.h"

#include <string.h>

#include "tls/der.h"

enum { RSA_BYTES_MIN = 2048 / 8 };

#define BYTES(text)                      \
	{                                \
		(text), sizeof(text) - 1 \
	}

/* OBJECT IDENTIFIER, whole elements */
static const struct gp_str rsa = BYTES("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01");
static const struct gp_str ec = BYTES("\x06\x07\x2a\x86\x48\xce\x3d\x02\x01");
static const struct gp_str alt_name = BYTES("\x06\x03\x55\x1d\x11");

static const struct gp_str curves[] = {
	BYTES("\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"), /* P-256 */
	BYTES("\x06\x05\x2b\x81\x04\x00\x22"),             /* P-384 */
};

/* with SHA-256, SHA-384 and SHA-512 */
static const struct gp_str signatures[] = {
	BYTES("\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"),     /* ECDSA */
	BYTES("\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03"),     /* ECDSA */
	BYTES("\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04"),     /* ECDSA */
	BYTES("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"), /* RSA */
	BYTES("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"), /* RSA */
	BYTES("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"), /* RSA */
};

static bool same(struct gp_str a, struct gp_str b)
{
	return a.len == b.len && (!a.len || !memcmp(a.p, b.p, a.len));
}

static bool is_one_of(struct gp_str oid, const struct gp_str *oids, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (same(oid, oids[i]))
			return true;
	}
	return false;
}

#define IS_ONE_OF(oid, oids) is_one_of((oid), (oids), sizeof(oids) / sizeof(*(oids)))

/* RSAPublicKey = SEQUENCE { modulus INTEGER, publicExponent INTEGER } (RFC 8017) */
static bool read_rsa_numbers(struct gp_der *r, struct gp_str *modulus, struct gp_str *exponent)
{
	struct gp_der n = gp_der_take(r, GP_DER_INTEGER);
	struct gp_der e = gp_der_take(r, GP_DER_INTEGER);

	*modulus = gp_der_rest(&n);
	*exponent = gp_der_rest(&e);
	return !r->bad;
}

static bool rsa_is_strong(struct gp_str modulus)
{
	/* positive, and its first bit set: 0x00 0x80 ... */
	return modulus.len > RSA_BYTES_MIN && modulus.p[0] == 0 && (modulus.p[1] & 0x80);
}

/* BIT STRING without unused bits */
static struct gp_str bit_string(struct gp_der *r)
{
	struct gp_der bits = gp_der_take(r, GP_DER_BIT_STRING);
	struct gp_str text = gp_der_rest(&bits);

	if (!text.len || text.p[0] != 0) {
		r->bad = true;
		return (struct gp_str){ "", 0 };
	}
	return (struct gp_str){ text.p + 1, text.len - 1 };
}

static bool key_is_usual(struct gp_str algorithm, struct gp_str public_key)
{
	struct gp_der r = gp_der_of(algorithm), inner = gp_der_take(&r, GP_DER_SEQUENCE);
	struct gp_str oid = gp_der_take_whole(&inner);
	struct gp_str modulus, exponent;

	if (same(oid, ec))
		return IS_ONE_OF(gp_der_take_whole(&inner), curves) && !inner.left;
	r = gp_der_of(public_key);
	inner = gp_der_take(&r, GP_DER_SEQUENCE);
	return same(oid, rsa) && read_rsa_numbers(&inner, &modulus, &exponent) &&
	       rsa_is_strong(modulus);
}

/* Extension = SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING } */
static bool read_extensions(struct gp_der r, struct gp_str *alt_names_out)
{
	struct gp_der list = gp_der_take(&r, GP_DER_SEQUENCE);

	while (list.left) {
		struct gp_der one = gp_der_take(&list, GP_DER_SEQUENCE);
		struct gp_str oid = gp_der_take_whole(&one);
		struct gp_der value;

		if (!gp_der_is(&one, GP_DER_OCTET_STRING))
			gp_der_take_whole(&one);
		value = gp_der_take(&one, GP_DER_OCTET_STRING);
		if (one.bad)
			return false;
		if (same(oid, alt_name))
			*alt_names_out = gp_der_rest(&value);
	}
	return !list.bad;
}

static bool read_validity(struct gp_der *tbs, struct gp_certificate_scan *out)
{
	struct gp_der times = gp_der_take(tbs, GP_DER_SEQUENCE);

	out->not_before = gp_der_take_whole(&times);
	out->not_after = gp_der_take_whole(&times);
	return !times.bad;
}

static bool read_public_key(struct gp_der *tbs, struct gp_certificate_scan *out)
{
	struct gp_der info = gp_der_take(tbs, GP_DER_SEQUENCE);

	out->algorithm = gp_der_take_whole(&info);
	out->public_key = bit_string(&info);
	return !info.bad && key_is_usual(out->algorithm, out->public_key);
}

/* TBSCertificate (RFC 5280 section 4.1), version 3 */
static bool read_tbs(struct gp_der tbs, struct gp_certificate_scan *out)
{
	struct gp_der extensions;

	gp_der_take(&tbs, GP_DER_CONTEXT + 0); /* version */
	gp_der_take(&tbs, GP_DER_INTEGER);     /* serial number */
	gp_der_take(&tbs, GP_DER_SEQUENCE);    /* signature */
	gp_der_take(&tbs, GP_DER_SEQUENCE);    /* issuer */
	if (!read_validity(&tbs, out))
		return false;
	gp_der_take(&tbs, GP_DER_SEQUENCE); /* subject */
	if (!read_public_key(&tbs, out))
		return false;
	extensions = gp_der_take(&tbs, GP_DER_CONTEXT + 3);
	return !tbs.bad && !tbs.left && read_extensions(extensions, &out->alt_names);
}

bool gp_certificate_scan(struct gp_str der, struct gp_certificate_scan *out)
{
	struct gp_der r = gp_der_of(der);
	struct gp_der certificate = gp_der_take(&r, GP_DER_SEQUENCE);
	struct gp_der tbs = gp_der_take(&certificate, GP_DER_SEQUENCE);
	struct gp_der algorithm = gp_der_take(&certificate, GP_DER_SEQUENCE);
	struct gp_str signature = gp_der_take_whole(&algorithm);

	*out = (struct gp_certificate_scan){ .alt_names = { "", 0 } };
	bit_string(&certificate);
	return !certificate.bad && !certificate.left && !r.left &&
	       IS_ONE_OF(signature, signatures) && read_tbs(tbs, out);
}

/* ---- private keys ---- */

/* ECPrivateKey (RFC 5915 section 3); its parameters may stand around it instead */
static bool ec_key_fits(const struct gp_certificate_scan *scan, struct gp_der key, bool alone)
{
	struct gp_str public_key;
	struct gp_der wrapped;

	gp_der_take(&key, GP_DER_INTEGER);
	gp_der_take(&key, GP_DER_OCTET_STRING);
	if (alone || gp_der_is(&key, GP_DER_CONTEXT + 0)) {
		struct gp_der parameters = gp_der_take(&key, GP_DER_CONTEXT + 0);
		struct gp_str curve = gp_der_rest(&parameters);

		/* AlgorithmIdentifier = SEQUENCE { ec, curve } */
		if (!curve.len || scan->algorithm.len < curve.len ||
		    memcmp(scan->algorithm.p + scan->algorithm.len - curve.len, curve.p,
			   curve.len) != 0)
			return false;
	}
	wrapped = gp_der_take(&key, GP_DER_CONTEXT + 1);
	public_key = bit_string(&wrapped);
	return !key.bad && !wrapped.bad && same(public_key, scan->public_key);
}

/* RSAPrivateKey (RFC 8017 appendix A.1.2) begins with version and the public numbers. */
static bool rsa_key_fits(const struct gp_certificate_scan *scan, struct gp_der key)
{
	struct gp_der r = gp_der_of(scan->public_key), inner = gp_der_take(&r, GP_DER_SEQUENCE);
	struct gp_str modulus[2], exponent[2];

	gp_der_take(&key, GP_DER_INTEGER);
	return read_rsa_numbers(&key, &modulus[0], &exponent[0]) &&
	       read_rsa_numbers(&inner, &modulus[1], &exponent[1]) &&
	       same(modulus[0], modulus[1]) && same(exponent[0], exponent[1]);
}

static bool is_ec(const struct gp_certificate_scan *scan)
{
	struct gp_der r = gp_der_of(scan->algorithm), inner = gp_der_take(&r, GP_DER_SEQUENCE);

	return same(gp_der_take_whole(&inner), ec);
}

bool gp_certificate_scan_key(const struct gp_certificate_scan *scan, const char *label,
			     struct gp_str der)
{
	struct gp_der r = gp_der_of(der), key = gp_der_take(&r, GP_DER_SEQUENCE);
	struct gp_der wrapped;

	if (r.bad || r.left)
		return false;
	if (!strcmp(label, "EC PRIVATE KEY"))
		return is_ec(scan) && ec_key_fits(scan, key, true);
	if (!strcmp(label, "RSA PRIVATE KEY"))
		return !is_ec(scan) && rsa_key_fits(scan, key);
	/* PrivateKeyInfo (RFC 5958 section 2) */
	gp_der_take(&key, GP_DER_INTEGER);
	if (strcmp(label, "PRIVATE KEY") != 0 || !same(gp_der_take_whole(&key), scan->algorithm))
		return false;
	wrapped = gp_der_take(&key, GP_DER_OCTET_STRING);
	key = gp_der_take(&wrapped, GP_DER_SEQUENCE);
	return !key.bad && (is_ec(scan) ? ec_key_fits(scan, key, false) : rsa_key_fits(scan, key));
}
