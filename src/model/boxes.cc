#include "model/boxes.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/check.h"

namespace muster {

std::uint32_t Boxes::Iterator::size() const {
    std::uint32_t size = 0;
    std::memcpy(&size, at_, sizeof size);
    return size;
}

Boxes::Boxes(std::span<const std::string_view> boxes) {
    if (boxes.empty()) {
        return;
    }
    std::size_t bytes = 0;
    for (const std::string_view box : boxes) {
        bytes += sizeof(std::uint32_t) + box.size() + 1;
    }
    CHECK_BECAUSE(bytes <= std::numeric_limits<std::uint32_t>::max(), "publications are bounded");
    const Head head{.count = static_cast<std::uint32_t>(boxes.size()),
                    .bytes = static_cast<std::uint32_t>(bytes)};
    packed_ = std::make_unique_for_overwrite<char[]>(sizeof head + bytes);
    std::memcpy(packed_.get(), &head, sizeof head);
    char* to = packed_.get() + sizeof head;
    for (const std::string_view box : boxes) {
        const auto size = static_cast<std::uint32_t>(box.size());
        std::memcpy(to, &size, sizeof size);
        to = std::ranges::copy(box, to + sizeof size).out;
        *to++ = '\0';
    }
}

Boxes::Boxes(const Boxes& other) {
    if (!other.empty()) {
        const std::size_t size = sizeof(Head) + other.head().bytes;
        packed_ = std::make_unique_for_overwrite<char[]>(size);
        std::memcpy(packed_.get(), other.packed_.get(), size);
    }
}

Boxes::Head Boxes::head() const {
    Head head;
    if (packed_ != nullptr) {
        std::memcpy(&head, packed_.get(), sizeof head);
    }
    return head;
}

Boxes::Iterator Boxes::begin() const {
    return empty() ? Iterator() : Iterator(packed_.get() + sizeof(Head));
}

Boxes::Iterator Boxes::end() const {
    return empty() ? Iterator() : Iterator(packed_.get() + sizeof(Head) + head().bytes);
}

std::size_t Boxes::size() const {
    return head().count;
}

std::size_t Boxes::text_bytes() const {
    return head().bytes - head().count * (sizeof(std::uint32_t) + 1);
}

bool Boxes::operator==(const Boxes& other) const {
    return std::ranges::equal(*this, other);
}

}  // namespace muster
