#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace muster {

// A short text that many values repeat (a zone, an application, a client's address): one pointer,
// and equal texts of a process are one. The empty one takes nothing.
//
// Any thread; a text ends with the last that names it. To make one costs a look into a table under
// a lock, to copy one an atomic count.
class InternedText {
public:
    InternedText() = default;
    // Implicit: it reads like any text.
    InternedText(std::string_view text);
    InternedText(const std::string& text) : InternedText(std::string_view(text)) {}
    InternedText(const char* text) : InternedText(std::string_view(text)) {}
    InternedText(const InternedText& other);
    InternedText(InternedText&& other) noexcept : record_(std::exchange(other.record_, nullptr)) {}
    InternedText& operator=(InternedText other) noexcept {
        std::swap(record_, other.record_);
        return *this;
    }
    ~InternedText();

    [[nodiscard]] std::string_view view() const;
    // The same with a zero byte behind it.
    [[nodiscard]] const char* c_str() const {
        return view().data();
    }
    operator std::string_view() const {
        return view();
    }
    [[nodiscard]] bool empty() const {
        return record_ == nullptr;
    }
    [[nodiscard]] std::size_t size() const {
        return view().size();
    }

    [[nodiscard]] friend bool operator==(const InternedText& a, const InternedText& b) {
        return a.record_ == b.record_;
    }
    [[nodiscard]] friend bool operator==(const InternedText& a, std::string_view b) {
        return a.view() == b;
    }
    [[nodiscard]] friend bool operator==(const InternedText& a, const std::string& b) {
        return a.view() == b;
    }
    [[nodiscard]] friend bool operator==(const InternedText& a, const char* b) {
        return a.view() == b;
    }

    // Texts there are in the process, for tests.
    [[nodiscard]] static std::size_t count();

private:
    struct Record;
    class Table;

    Record* record_ = nullptr;
};

}  // namespace muster
