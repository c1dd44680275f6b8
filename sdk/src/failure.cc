#include "failure.h"

namespace muster::sdk_core {

muster_status status_of(Errc code) {
    switch (code) {
        case Errc::invalid_argument:
        case Errc::too_large: return MUSTER_INVALID_ARGUMENT;
        case Errc::not_found: return MUSTER_NOT_FOUND;
        case Errc::over_limit: return MUSTER_OVER_LIMIT;
        case Errc::timeout: return MUSTER_TIMEOUT;
        case Errc::closed: return MUSTER_CLOSED;
        case Errc::bad_config: return MUSTER_BAD_CONFIG;
        case Errc::not_ready: return MUSTER_NOT_READY;
        case Errc::busy:
        case Errc::unavailable:
        case Errc::not_leader: return MUSTER_UNAVAILABLE;
        case Errc::io_error:
        case Errc::corrupt:
        case Errc::address_in_use: return MUSTER_IO_ERROR;
        case Errc::refused:
        case Errc::conflict:
        case Errc::stale_epoch:
        case Errc::unauthenticated:
        case Errc::bad_frame:
        case Errc::bad_content:
        case Errc::unknown_type:
        case Errc::unknown_route:
        case Errc::method_not_allowed: return MUSTER_REFUSED;
        case Errc::internal: return MUSTER_INTERNAL;
    }
    return MUSTER_INTERNAL;
}

}  // namespace muster::sdk_core
