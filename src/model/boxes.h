#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace muster {

// What a client published: a few texts that are opaque to the registry, in one piece of memory.
// Made at once, read one after the other; behind each is a zero byte, for readers in C.
class Boxes {
public:
    class Iterator {
    public:
        using value_type = std::string_view;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::forward_iterator_tag;

        Iterator() = default;
        explicit Iterator(const char* at) : at_(at) {}

        [[nodiscard]] std::string_view operator*() const {
            return {at_ + sizeof(std::uint32_t), size()};
        }
        Iterator& operator++() {
            at_ += sizeof(std::uint32_t) + size() + 1;
            return *this;
        }
        Iterator operator++(int) {
            const Iterator before = *this;
            ++*this;
            return before;
        }
        [[nodiscard]] bool operator==(const Iterator&) const = default;

    private:
        [[nodiscard]] std::uint32_t size() const;

        const char* at_ = nullptr;
    };

    Boxes() = default;
    Boxes(std::initializer_list<std::string_view> boxes)
        : Boxes(std::span(boxes.begin(), boxes.size())) {}
    explicit Boxes(std::span<const std::string_view> boxes);
    Boxes(const std::vector<std::string>& boxes)
        : Boxes(std::vector<std::string_view>(boxes.begin(), boxes.end())) {}
    Boxes(const std::vector<std::string_view>& boxes) : Boxes(std::span(boxes)) {}
    Boxes(const Boxes& other);
    Boxes(Boxes&& other) noexcept = default;
    Boxes& operator=(const Boxes& other) {
        return *this = Boxes(other);
    }
    Boxes& operator=(Boxes&& other) noexcept = default;
    ~Boxes() = default;

    [[nodiscard]] Iterator begin() const;
    [[nodiscard]] Iterator end() const;
    [[nodiscard]] std::size_t size() const;
    // Of all texts together. Takes as long however many there are.
    [[nodiscard]] std::size_t text_bytes() const;
    [[nodiscard]] bool empty() const {
        return packed_ == nullptr;
    }
    // Requires: !empty().
    [[nodiscard]] std::string_view front() const {
        return *begin();
    }

    [[nodiscard]] bool operator==(const Boxes& other) const;

private:
    struct Head {
        std::uint32_t count = 0;
        std::uint32_t bytes = 0;  // of the boxes, each with its size before it and a zero behind
    };
    [[nodiscard]] Head head() const;

    std::unique_ptr<char[]> packed_;  // null: none
};

}  // namespace muster
