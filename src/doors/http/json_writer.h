#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace muster::http {

// Appends JSON (RFC 8259) to a string, in one pass and without a tree: commas and quotes are its
// care, the nesting is the caller's. Text that is not UTF-8 gets U+FFFD where it is not, as boxes
// may hold any bytes.
class JsonWriter {
public:
    JsonWriter& begin_object();
    JsonWriter& end_object();
    JsonWriter& begin_array();
    JsonWriter& end_array();
    JsonWriter& key(std::string_view name);

    JsonWriter& value(std::string_view text);
    JsonWriter& value(const char* text) {
        return value(std::string_view(text));
    }
    JsonWriter& value(const std::string& text) {
        return value(std::string_view(text));
    }
    JsonWriter& value(bool flag);
    template <std::integral T>
        requires(!std::same_as<T, bool>)
    JsonWriter& value(T number) {
        begin_value();
        out_ += std::to_string(number);
        return *this;
    }

    template <typename T>
    JsonWriter& field(std::string_view name, const T& content) {
        return key(name).value(content);
    }

    void reserve(std::size_t bytes) {
        out_.reserve(bytes);
    }

    [[nodiscard]] std::string take() && {
        return std::move(out_);
    }

private:
    void begin_value();

    std::string out_;
    bool comma_ = false;  // the next value of this level needs one before it
};

}  // namespace muster::http
