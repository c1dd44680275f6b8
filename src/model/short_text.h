#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace muster {

// A text that is kept and never changed, where many are kept that differ: one pointer, and its
// bytes with two for their number. The empty one takes nothing. See InternedText for texts that
// repeat.
class ShortText {
public:
    static constexpr std::size_t kBytesMax = 65'535;

    ShortText() = default;
    // Requires: at most kBytesMax bytes.
    explicit ShortText(std::string_view text);

    [[nodiscard]] std::string_view view() const {
        return view_of(raw());
    }
    [[nodiscard]] bool empty() const {
        return bytes_ == nullptr;
    }
    // Stays where it is while the text lives, also when that is moved.
    [[nodiscard]] const char* raw() const {
        return bytes_.get();
    }
    // Of a text that lives.
    [[nodiscard]] static std::string_view view_of(const char* raw);

private:
    std::unique_ptr<char[]> bytes_;
};

}  // namespace muster
