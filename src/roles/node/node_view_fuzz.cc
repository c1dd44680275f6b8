// The kept view: arbitrary bytes as a file; what is read is written again as it was.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "roles/node/view_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    if (const auto view = muster::node::decode_view(bytes)) {
        CHECK(muster::node::encode_view(*view) == bytes);
    }
    return 0;
}
