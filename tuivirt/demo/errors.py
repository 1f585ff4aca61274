"""libvirt's own exception, with the code and text that its QEMU driver gives."""

from __future__ import annotations

import libvirt

_PREFIX: dict[int, str] = {
    libvirt.VIR_ERR_INTERNAL_ERROR: "internal error: {}",
    libvirt.VIR_ERR_NO_SUPPORT: "this function is not supported by the connection driver: {}",
    libvirt.VIR_ERR_INVALID_ARG: "invalid argument: {}",
    libvirt.VIR_ERR_OPERATION_FAILED: "operation failed: {}",
    libvirt.VIR_ERR_XML_ERROR: "XML error: {}",
    libvirt.VIR_ERR_OPERATION_DENIED: "operation forbidden: {}",
    libvirt.VIR_ERR_OPERATION_INVALID: "Requested operation is not valid: {}",
    libvirt.VIR_ERR_CONFIG_UNSUPPORTED: "unsupported configuration: {}",
    libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED: "argument unsupported: {}",
    libvirt.VIR_ERR_OPERATION_UNSUPPORTED: "Operation not supported: {}",
    libvirt.VIR_ERR_DEVICE_MISSING: "device not found: {}",
    libvirt.VIR_ERR_NO_TARGET: "missing target information for device {}",
}


def failure(
    code: int, text: str, domain: int = libvirt.VIR_FROM_QEMU, number: int = -1
) -> libvirt.libvirtError:
    """A libvirtError of ``code``; ``text`` gets the words that libvirt puts before it.

    libvirtError's constructor reads the thread's last error, so what it holds is set after.
    """
    template = _PREFIX.get(code, "{}")
    message = template.format(text)
    error = libvirt.libvirtError(message)
    error.args = (message,)
    error.err = (
        code,
        domain,
        message,
        libvirt.VIR_ERR_ERROR,
        template.replace("{}", "%s"),
        text,
        None,
        number,
        -1,
    )
    return error


def denied(function: str) -> libvirt.libvirtError:
    """What a read-only connection answers to a call that changes something."""
    return failure(
        libvirt.VIR_ERR_OPERATION_DENIED,
        f"read only access prevents {function}",
        libvirt.VIR_FROM_DOM,
    )


def not_running() -> libvirt.libvirtError:
    """The call needs a running domain."""
    return failure(libvirt.VIR_ERR_OPERATION_INVALID, "domain is not running")
