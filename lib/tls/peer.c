/* SPDX-License-Identifier: MIT */
#include "tls/peer.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/endpoint.h"
#include "base/err.h"
#include "tls/peer_openssl.h"

/* As RSA with 2048 bits or curves with 224 (RFC 9325 section 4.5) */
enum { SECURITY_BITS_MIN = 112 };

/* ---- names ---- */

static struct gp_str text_of(const ASN1_STRING *string)
{
	return gp_str_from(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

static const struct {
	int nid;
	int type; /* of its value */
	enum gp_identity_kind kind;
} other_names[] = {
	{ NID_XmppAddr, V_ASN1_UTF8STRING, GP_IDENTITY_XMPP },
	{ NID_SRVName, V_ASN1_IA5STRING, GP_IDENTITY_SRV },
	{ NID_id_on_SmtpUTF8Mailbox, V_ASN1_UTF8STRING, GP_IDENTITY_MAIL_UTF8 },
};

static int add_other_name(struct gp_peer_certificate *peer, const OTHERNAME *other)
{
	for (size_t i = 0; i < sizeof(other_names) / sizeof(*other_names); i++) {
		if (OBJ_obj2nid(other->type_id) == other_names[i].nid &&
		    other->value->type == other_names[i].type)
			return gp_peer_certificate_add(peer, other_names[i].kind,
						       text_of(other->value->value.asn1_string));
	}
	return GP_OK;
}

/* Other lengths are networks, which are for constraints only. */
static int add_address(struct gp_peer_certificate *peer, const ASN1_OCTET_STRING *bytes)
{
	int len = ASN1_STRING_length(bytes);
	struct gp_endpoint address = { len == 4 ? GP_ENDPOINT_IP4 : GP_ENDPOINT_IP6, { 0 }, 0 };
	char text[GP_IP_TEXT_SIZE];

	if (len != 4 && len != 16)
		return GP_OK;
	memcpy(address.ip, ASN1_STRING_get0_data(bytes), (size_t)len);
	gp_endpoint_format_ip(&address, text);
	return gp_peer_certificate_add(peer, GP_IDENTITY_IP, gp_str_of(text));
}

static int add_name(struct gp_peer_certificate *peer, const GENERAL_NAME *name)
{
	switch (name->type) {
	case GEN_DNS:
		return gp_peer_certificate_add(peer, GP_IDENTITY_DNS, text_of(name->d.dNSName));
	case GEN_EMAIL:
		return gp_peer_certificate_add(peer, GP_IDENTITY_MAIL, text_of(name->d.rfc822Name));
	case GEN_URI:
		return gp_peer_certificate_add(peer, GP_IDENTITY_URI,
					       text_of(name->d.uniformResourceIdentifier));
	case GEN_IPADD:
		return add_address(peer, name->d.iPAddress);
	case GEN_OTHERNAME:
		return add_other_name(peer, name->d.otherName);
	default:
		return GP_OK;
	}
}

static int add_names(struct gp_peer_certificate *peer, X509 *certificate)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	int ret = GP_OK;

	for (int i = 0; ret == GP_OK && i < sk_GENERAL_NAME_num(names); i++)
		ret = add_name(peer, sk_GENERAL_NAME_value(names, i));
	GENERAL_NAMES_free(names);
	return ret;
}

/* ---- constraints ---- */

static int add_excluded(struct gp_peer_certificate *peer,
			const STACK_OF(GENERAL_SUBTREE) * subtrees)
{
	int ret = GP_OK;

	for (int i = 0; ret == GP_OK && i < sk_GENERAL_SUBTREE_num(subtrees); i++) {
		const GENERAL_NAME *base = sk_GENERAL_SUBTREE_value(subtrees, i)->base;

		if (base->type == GEN_DNS)
			ret = gp_peer_certificate_exclude(peer, text_of(base->d.dNSName));
	}
	return ret;
}

static bool holds_dns_names(const STACK_OF(GENERAL_SUBTREE) * subtrees)
{
	for (int i = 0; i < sk_GENERAL_SUBTREE_num(subtrees); i++) {
		if (sk_GENERAL_SUBTREE_value(subtrees, i)->base->type == GEN_DNS)
			return true;
	}
	return false;
}

/* RFC 5280 section 4.2.1.10: a constraint is for the kind of name that it names. One that cannot be
 * read leaves no name. */
static int add_constraints(struct gp_peer_certificate *peer, const X509 *authority)
{
	int critical;
	NAME_CONSTRAINTS *limits = X509_get_ext_d2i(authority, NID_name_constraints, &critical,
						    NULL);
	int ret;

	if (!limits && critical == -1)
		return GP_OK;
	if (!limits) {
		peer->dns_constrained = true;
		return gp_peer_certificate_exclude(peer, gp_str_of(""));
	}
	if (holds_dns_names(limits->permittedSubtrees) || holds_dns_names(limits->excludedSubtrees))
		peer->dns_constrained = true;
	ret = add_excluded(peer, limits->excludedSubtrees);
	NAME_CONSTRAINTS_free(limits);
	return ret;
}

/* A resumed session has no chain. */
static int add_constraints_of_chain(struct gp_peer_certificate *peer, const STACK_OF(X509) * chain)
{
	int ret = GP_OK;

	for (int i = 1; ret == GP_OK && i < sk_X509_num(chain); i++)
		ret = add_constraints(peer, sk_X509_value(chain, i));
	return ret;
}

/* ---- verdict ---- */

static bool digest(X509 *certificate, struct gp_peer_certificate *peer)
{
	unsigned char *spki = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
	bool ok = len > 0 &&
		  EVP_Digest(spki, (size_t)len, peer->spki_sha256, NULL, EVP_sha256(), NULL) == 1 &&
		  X509_digest(certificate, EVP_sha256(), peer->sha256, NULL) == 1;

	OPENSSL_free(spki);
	return ok;
}

static bool is_strong(X509 *certificate)
{
	EVP_PKEY *key = X509_get0_pubkey(certificate);

	return key && EVP_PKEY_get_security_bits(key) >= SECURITY_BITS_MIN;
}

/* The chain was judged in the first handshake, whose result is part of the session. */
static void judge(long result, X509 *certificate, struct gp_peer_certificate *peer)
{
	bool began = X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0;
	bool ended = X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0;

	if (!began)
		peer->fault = X509_verify_cert_error_string(X509_V_ERR_CERT_NOT_YET_VALID);
	else if (ended)
		peer->fault = X509_verify_cert_error_string(X509_V_ERR_CERT_HAS_EXPIRED);
	else if (!is_strong(certificate))
		peer->fault = X509_verify_cert_error_string(X509_V_ERR_EE_KEY_TOO_SMALL);
	peer->usable = !peer->fault;
	peer->verified = peer->usable && result == X509_V_OK;
	if (peer->usable && !peer->verified)
		peer->fault = X509_verify_cert_error_string(result);
}

int gp_peer_read(X509 *certificate, const STACK_OF(X509) * chain, long result,
		 struct gp_peer_certificate **peer_out)
{
	struct gp_peer_certificate *peer = calloc(1, sizeof(*peer));
	int ret = GP_E_NOMEM;

	if (peer && digest(certificate, peer)) {
		judge(result, certificate, peer);
		ret = add_names(peer, certificate);
		if (ret == GP_OK)
			ret = add_constraints_of_chain(peer, chain);
	}
	ERR_clear_error();
	if (ret != GP_OK)
		gp_peer_certificate_free(peer);
	else
		*peer_out = peer;
	return ret;
}

int gp_tls_peer_get(const struct gp_tls *tls, struct gp_peer_certificate **peer_out)
{
	SSL *ssl = (SSL *)(uintptr_t)tls;
	X509 *certificate = SSL_get0_peer_certificate(ssl);

	if (!certificate)
		return GP_E_NOT_FOUND;
	return gp_peer_read(certificate, SSL_get0_verified_chain(ssl), SSL_get_verify_result(ssl),
			    peer_out);
}
