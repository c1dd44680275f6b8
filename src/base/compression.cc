#include "base/compression.h"

#include <algorithm>
#include <memory>

#include <zstd.h>

#include "base/check.h"

namespace muster {
namespace {

struct Free {
    void operator()(ZSTD_DCtx* context) const {
        ZSTD_freeDCtx(context);
    }
};

}  // namespace

std::string compress(std::string_view bytes, int level) {
    std::string frame(ZSTD_compressBound(bytes.size()), '\0');
    const std::size_t size =
        ZSTD_compress(frame.data(), frame.size(), bytes.data(), bytes.size(), level);
    CHECK(ZSTD_isError(size) == 0);
    frame.resize(size);
    return frame;
}

Result<std::string> decompress(std::string_view frame, std::size_t bytes_max) {
    const std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
    CHECK(context != nullptr);
    std::string bytes;
    ZSTD_inBuffer in{frame.data(), frame.size(), 0};
    for (std::size_t left = 1; left != 0;) {
        const std::size_t had = bytes.size();
        // One byte more than may be, which is how too many are noticed.
        bytes.resize(std::min(had + ZSTD_DStreamOutSize(), bytes_max + 1));
        ZSTD_outBuffer out{bytes.data() + had, bytes.size() - had, 0};
        const std::size_t read_before = in.pos;
        left = ZSTD_decompressStream(context.get(), &out, &in);
        bytes.resize(had + out.pos);
        if (bytes.size() > bytes_max) {
            return fail(Errc::too_large,
                        "it unpacks to more than " + std::to_string(bytes_max) + " bytes");
        }
        const bool stuck = out.pos == 0 && in.pos == read_before;
        if (ZSTD_isError(left) != 0 || (stuck && left != 0)) {
            return fail(Errc::bad_content, "it is not a whole frame of Zstandard");
        }
    }
    if (in.pos != frame.size()) {
        return fail(Errc::bad_content, "something follows a frame of Zstandard");
    }
    return bytes;
}

}  // namespace muster
