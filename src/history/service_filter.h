#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace muster::history {

// Which services a segment may have records of (a Bloom filter, so "no" is certain). Sizes are
// powers of two, and half a filter can be laid over the other half: it is filled at its full size
// and kept as small as it may be.
class ServiceFilter {
public:
    static constexpr std::size_t kBytesMin = 64;
    static constexpr std::size_t kBytesMax = std::size_t{16} << 10U;

    ServiceFilter() : bits_(kBytesMax, '\0') {}
    // One that was kept. Requires: fits(bytes.size()).
    explicit ServiceFilter(std::string bytes) : bits_(std::move(bytes)) {}

    [[nodiscard]] static bool fits(std::size_t bytes) {
        return bytes >= kBytesMin && bytes <= kBytesMax && (bytes & (bytes - 1)) == 0;
    }

    void add(std::string_view service);
    [[nodiscard]] bool may_have(std::string_view service) const;

    // Halves it as long as few bits are set.
    void shrink();

    [[nodiscard]] const std::string& bytes() const {
        return bits_;
    }

private:
    [[nodiscard]] std::size_t bits_set() const;

    std::string bits_;
};

}  // namespace muster::history
