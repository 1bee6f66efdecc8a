-- SPDX-License-Identifier: MIT
-- For Prosody 0.12 behind the XMPP edge of gatepost, see gatepost-edge(8). On the ports that the option gatepost_ports
-- lists, Prosody believes what the edge says:
--
--   the domain in a server's stream header is correct: the edge has verified it by certificate;
--   a client that uses SASL EXTERNAL is the address that it names.
--
-- Only the edge may reach these ports. Connections from other machines are not believed.

local base64 = require "util.encodings".base64;
local jid_split = require "util.jid".prepped_split;
local make_authenticated = require "core.sessionmanager".make_authenticated;
local st = require "util.stanza";
local user_exists = require "core.usermanager".user_exists;

local xmlns_sasl = "urn:ietf:params:xml:ns:xmpp-sasl";
local before_others, after_others = 1000, -1000;

local ports = {};
for port in module:get_option_set("gatepost_ports", {}):items() do
	ports[tonumber(port)] = true;
end

local function is_edge(session)
	local ip = session.ip or "";
	return ports[tonumber(session.conn:serverport())] and (ip:find("^127%.") or ip == "::1" or ip:find("^::ffff:127%."));
end

-- ---- servers ----

module:hook("s2s-stream-features", function(event)
	local session = event.origin;
	if session.type == "s2sin_unauthed" and session.from_host and is_edge(session) then
		session.secure = true; -- between the other server and the edge
		module:fire_event("s2s-authenticated", { session = session, host = session.from_host, mechanism = "EXTERNAL" });
	end
end, before_others);

-- A stream is for the one domain that the certificate proves: others must not be added to it by dialback.
local function is_from_server(session)
	return (session.type == "s2sin" or session.type == "s2sin_unauthed") and is_edge(session);
end

module:hook("s2s-stream-features", function(event)
	if is_from_server(event.origin) then
		event.features:remove_children("dialback", "urn:xmpp:features:dialback");
	end
end, after_others);

module:hook("stanza/jabber:server:dialback:result", function(event)
	local session, stanza = event.origin, event.stanza;
	if not is_from_server(session) then
		return;
	end
	module:log("warn", "%s asked for dialback as %s, but gatepost has verified its certificate and this stream is for that one domain only", session.from_host, stanza.attr.from);
	session.sends2s(st.stanza("db:result", { from = stanza.attr.to, to = stanza.attr.from, type = "error" })
		:tag("error", { type = "cancel" }):tag("policy-violation", { xmlns = "urn:ietf:params:xml:ns:xmpp-stanzas" }));
	return true;
end, before_others);

-- ---- clients ----

module:hook("stream-features", function(event)
	if event.origin.type == "c2s_unauthed" and is_edge(event.origin) then
		event.origin.secure = true;
	end
end, before_others);

module:hook("stream-features", function(event)
	local session, features = event.origin, event.features;
	if session.type ~= "c2s_unauthed" or not is_edge(session) then
		return;
	end
	local mechanisms = features:get_child("mechanisms", xmlns_sasl);
	if not mechanisms then
		mechanisms = st.stanza("mechanisms", { xmlns = xmlns_sasl });
		features:add_child(mechanisms);
	end
	mechanisms:text_tag("mechanism", "EXTERNAL");
end, after_others);

local function is_user_here(user, host, resource)
	return user and host == module.host and not resource and user_exists(user, host);
end

module:hook("stanza/" .. xmlns_sasl .. ":auth", function(event)
	local session, stanza = event.origin, event.stanza;
	if session.type ~= "c2s_unauthed" or stanza.attr.mechanism ~= "EXTERNAL" or not is_edge(session) then
		return;
	end
	local user, host, resource = jid_split(base64.decode(stanza:get_text() or "") or "");
	if is_user_here(user, host, resource) and make_authenticated(session, user) then
		module:fire_event("authentication-success", { session = session });
		session.send(st.stanza("success", { xmlns = xmlns_sasl }));
		session:reset_stream();
	else
		module:fire_event("authentication-failure", { session = session, condition = "not-authorized" });
		session.send(st.stanza("failure", { xmlns = xmlns_sasl }):tag("not-authorized"));
	end
	return true;
end, before_others);
