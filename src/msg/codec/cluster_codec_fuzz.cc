#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "msg/codec/cluster_codec.h"

// What is accepted is written as bytes that are accepted and written the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace muster::msg;
    const ClusterCodecLimits limits{.memory_max = std::size_t{16} << 20U};
    const auto first =
        decode_cluster_message(std::string_view(reinterpret_cast<const char*>(data), size), limits);
    if (first) {
        const std::string written = encode(*first);
        const auto second = decode_cluster_message(written, limits);
        CHECK(second.has_value());
        CHECK(encode(*second) == written);
    }
    return 0;
}
