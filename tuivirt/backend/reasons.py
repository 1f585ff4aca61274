"""Why the way to another host failed, in ssh's or libvirt's words, and what to try.

The words are English whatever the operator's language: libvirt starts ssh with LC_ALL=C and is not
told of a language itself. What the remote host's shell says may be in any.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from urllib.parse import urlsplit

Told = tuple[str, str]
"""Why, and what to try."""

_GENERIC = ("Host key verification failed.", "lost connection")
_NOISE = re.compile(r"Warning: Permanently added|Permission denied, please try again|@|\s*$")


def told_by_ssh(said: str, uri: str) -> Told | None:
    """What ssh, or the shell on the host, gave as the reason; None when they said nothing."""
    changed = _changed_key(said)
    if changed is not None:
        return changed
    lines = [line.strip() for line in said.splitlines() if not _NOISE.match(line)]
    if not lines:
        return None
    why = lines[-1]
    if why in _GENERIC and len(lines) > 1:
        why = f"{lines[-2]} {why}"
    return why, _by_words(_SSH, said, uri)


def by_libvirt(why: str, uri: str) -> str:
    """What to try where libvirt itself went: libssh, TLS, TCP and SASL."""
    return _by_words(_LIBVIRT, why, uri)


def _changed_key(said: str) -> Told | None:
    """The one failure that may be an attack: no command that connects all the same is told."""
    if "REMOTE HOST IDENTIFICATION HAS CHANGED" not in said:
        return None
    sent = re.search(r"key sent by the remote host is\s+(\S+?)\.?\s", said)
    known = re.search(r"Offending (?:\S+ )?key in (.+):(\d+)", said)
    name = re.search(r"Host key for (\S+) has changed", said)
    host = name[1] if name else "the host"
    why = f"the host key of {host} is not the one that is known"
    if known:
        why += f" (line {known[2]} of {known[1]})"
    if sent:
        why += f"; the key that came is {sent[1]}"
    advice = (
        "somebody may be answering in the host's place, to read along and to take its passwords. "
        "Nothing was sent. Ask its owner, on another way, whether the key was changed and for its "
        "fingerprint. Only if that is the one above"
    )
    if known:
        # What a host says before anybody logs in is among it, and this is there to be copied.
        file, name_ = shlex.quote(known[1]), shlex.quote(host)
        advice += f": ssh-keygen -f {file} -R {name_} forgets the old key there, "
        advice += "and the next try asks about the new one"
    else:
        advice += ", have ssh forget the old key with ssh-keygen -R"
    return why, advice


Say = Callable[[str], str]
"""Advice about a host of that name."""


def _by_words(table: tuple[tuple[str, Say], ...], text: str, uri: str) -> str:
    where = urlsplit(uri).hostname or "the host"
    for words, say in table:
        if re.search(words, text, re.IGNORECASE):
            return say(where)
    return ""


_DAEMON: tuple[tuple[str, Say], ...] = (
    (
        r"libvirt[\w-]*-sock.*permission denied|unix connect failed: permission denied",
        lambda host: f"have the user that logs in on {host} added to its group libvirt, "
        "or log in as another",
    ),
    (
        r"libvirt[\w-]*-sock|unix connect failed",
        lambda host: f"on {host}, start libvirt: systemctl start libvirtd (or virtqemud); "
        "a socket elsewhere is named by the URI: ?socket=/path",
    ),
)  # fmt: skip

_SSH: tuple[tuple[str, Say], ...] = (
    (
        r"failed to execute|ssh: (command )?not found|exec: .*ssh",
        lambda host: "install ssh here (openssh-client), or name it in the URI: ?command=/path",
    ),
    (
        r"revoked",
        lambda host: f"the key of {host} was declared stolen or void: ask its owner for the "
        "new one",
    ),
    (
        r"host key verification failed|no \S+ host key is known",
        lambda host: f"ssh is told to take no unknown key (StrictHostKeyChecking or BatchMode "
        f"in its configuration): put the key of {host} into known_hosts once its owner has told "
        "you the fingerprint",
    ),
    (
        r"permissions \d+ for .* are too open|unprotected private key",
        lambda host: "let nobody else read the key's file: chmod 600 FILE",
    ),
    (
        r"too many authentication failures",
        lambda host: "ssh offered more keys than the host takes: name the right one in the URI "
        "(?keyfile=/path), or set IdentitiesOnly in ~/.ssh/config",
    ),
    (
        r"agent refused operation",
        lambda host: "the agent would not use its key: unlock or touch it, or look at ssh-add",
    ),
    *_DAEMON,
    (
        r"permission denied",
        lambda host: "check the user name, the password or key, and ssh-agent",
    ),
    (
        r"could not resolve|name or service not known|no address associated",
        lambda host: f"the host name {host} is not known: check its spelling and DNS",
    ),
    (
        r"connection refused",
        lambda host: f"no sshd listens there: check the port and that {host} is the right host",
    ),
    (
        r"no route to host|network is unreachable|timed out|timeout",
        lambda host: f"{host} cannot be reached: check the network, VPN and firewall",
    ),
    (
        r"no matching|unable to negotiate",
        lambda host: f"{host} and this ssh have no algorithm in common: update the older one, "
        "or allow its algorithm in ~/.ssh/config",
    ),
    (
        r"bad configuration option|bad owner or permissions|terminating, \d+ bad",
        lambda host: "ssh does not take its own configuration: correct the file it names",
    ),
    (
        r"account is (currently )?not available|shell access|must change your password|expired",
        lambda host: "that user may run nothing there: use another, "
        "or have it changed",
    ),
    (
        r"not found",
        lambda host: f"{host} has neither virt-ssh-helper nor nc: install libvirt's daemon "
        "there, or netcat-openbsd",
    ),
    (
        r"connection (closed|reset)|exchange_identification|broken pipe|received disconnect",
        lambda host: f"{host} ended it before anybody was logged in: it may be busy, refuse "
        "this address after failed tries, or have waited too long for an answer",
    ),
)  # fmt: skip

_LIBVIRT: tuple[tuple[str, Say], ...] = (
    (
        r"identity of host .* differs|host key verification failed",
        lambda host: f"somebody may be answering in place of {host}: ask its owner whether the "
        "key was changed, before the old one is taken out of the file that is named",
    ),
    (
        r"cannot read ca certificate|ca certificate .*(no such|not readable)|unable to set x509 ca",
        lambda host: "put the certificate of the authority that signed the host's where it is "
        "looked for (/etc/pki/CA/cacert.pem, ~/.pki/libvirt/cacert.pem, or ?pkipath=/folder)",
    ),
    (
        r"our own certificate .*issuer",
        lambda host: "clientcert.pem and cacert.pem here do not belong together: both must come "
        f"from the authority that {host} trusts",
    ),
    (
        r"has expired|not yet active",
        lambda host: "have the certificate that is named renewed; if its dates look right, "
        "correct this machine's clock",
    ),
    (
        r"certificate.*(does not match|owner)|not match the hostname|hostname",
        lambda host: f"the certificate is not made out to {host}: use the name that it is made "
        "out to in the URI, or have one made with this name; otherwise ask the host's owner who "
        "answers there",
    ),
    (
        r"issuer|not trusted|unknown ca|signer|certificate validation",
        lambda host: f"the certificate of {host} was not signed by the authority that is known "
        "here: get the right cacert.pem from the host's owner, or ask who answers there",
    ),
    (
        r"handshake failed",
        lambda host: f"check that this port of {host} is the one for TLS (16514 by default), and "
        "that its libvirt takes no other versions of TLS than this machine",
    ),
    (
        r"failed to verify peer",
        lambda host: f"the certificate of {host} has expired, is made out to another name, or was "
        "not signed by the authority that is known here: ask its owner who answers there",
    ),
    (
        r"tls confirmation|client certificate|bad certificate|certificate",
        lambda host: f"{host} wants a client certificate that its authority has signed, and "
        "whose owner it lets in: clientcert.pem and private/clientkey.pem in /etc/pki/libvirt or "
        "~/.pki/libvirt, or clientkey.pem beside it in the folder of ?pkipath=",
    ),
    (
        r"no worthy mechs|no mechanism|sasl negotiation",
        lambda host: "this machine and the host have no way to log in in common: install "
        "libsasl2-modules here (and -gssapi-mit for Kerberos), or look at mech_list in the host's "
        "/etc/sasl2/libvirt.conf",
    ),
    *_DAEMON,
    (
        r"authentication|permission denied|auth",
        lambda host: f"check the user name and the password that {host} knows",
    ),
    (
        r"could not resolve|unable to resolve|name or service not known|no address associated",
        lambda host: f"the host name {host} is not known: check its spelling and DNS",
    ),
    (
        r"connection refused|unable to connect to server(?!.*(route|unreachable|timed))",
        lambda host: f"nothing listens at that address on {host}: check the port, and that "
        "libvirtd-tls.socket or libvirtd-tcp.socket is started there",
    ),
    (
        r"no route to host|network is unreachable|timed out|timeout",
        lambda host: f"{host} cannot be reached: check the network, VPN and firewall",
    ),
    (
        r"end of file|connection reset|broken pipe|eof",
        lambda host: f"{host} closed it: is that port libvirt's, and the transport the one "
        "that listens there?",
    ),
    (r"command .*not found|exit status 127", _SSH[-2][1]),
)  # fmt: skip
