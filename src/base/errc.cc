#include "base/errc.h"

#include <array>
#include <cstddef>

namespace muster {
namespace {

constexpr auto kTable = std::to_array<ErrcInfo>({
#define X(name, text, http, grpc, bolt, retryable, exit) \
    {#name, text, http, grpc, bolt, retryable, exit},
    MUSTER_ERRC_LIST(X)
#undef X
});

}  // namespace

const ErrcInfo& info(Errc code) {
    return kTable[static_cast<std::size_t>(code)];
}

}  // namespace muster
