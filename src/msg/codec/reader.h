#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/hash.h"
#include "base/id.h"
#include "base/result.h"
#include "model/publication.h"
#include "msg/codec/archive.h"

namespace muster::msg::codec {

// Takes values from bytes that anybody may have made: the reading archive. One per message. After
// the first fault nothing more is taken. What is made of the bytes is charged before it is
// allocated, against `memory_max`.
class Reader {
public:
    static constexpr bool kReads = true;
    // Elements of a list that are made room for before they were seen.
    static constexpr std::uint64_t kReservedMax = 64;

    Reader(std::string_view bytes, std::size_t memory_max)
        : rest_(bytes), memory_left_(memory_max) {}

    template <class... Fields>
    void operator()(Fields&&... fields) {
        (get(fields), ...);
    }
    template <class... Fields>
    void added(Fields&&... fields) {
        const bool was_plain = std::exchange(plain_, true);
        ((rest_.empty() ? void() : get(fields)), ...);
        plain_ = was_plain;
    }

    [[nodiscard]] std::uint64_t take_varint();
    [[nodiscard]] bool ok() const {
        return !fault_.has_value();
    }
    // Requires: !ok().
    [[nodiscard]] const Error& fault() const {
        return *fault_;
    }

private:
    void get(bool& value) {
        value = take_up_to(1) == 1;
    }
    template <std::unsigned_integral T>
    void get(T& value) {
        value = static_cast<T>(take_up_to(std::numeric_limits<T>::max()));
    }
    template <std::signed_integral T>
    void get(T& value) {
        value = take_signed();
    }
    template <class T>
        requires std::is_enum_v<T>
    void get(T& value) {
        value = static_cast<T>(take_up_to(static_cast<std::uint64_t>(LastOf<T>::value)));
    }
    template <class Tag, std::unsigned_integral Rep>
    void get(Id<Tag, Rep>& id) {
        Rep raw = 0;
        get(raw);
        id = Id<Tag, Rep>(raw);
    }
    template <class Tag>
    void get(Id<Tag, std::string>& id) {
        id = Id<Tag, std::string>(take_name());
    }
    void get(Version& version);
    void get(std::string& text);
    template <class T>
    void get(const Name<T>& named) {
        if constexpr (std::is_same_v<T, InternedText>) {
            take_interned(named.text);
        } else {
            named.text = take_name();
        }
    }
    void get(SetDigest& digest);
    void get(Error& error);
    void get(ServicePtr& service);
    template <class T>
    void get(const Nullable<std::shared_ptr<const T>>& nullable) {
        bool is_there = false;
        get(is_there);
        if (is_there) {
            get(nullable.pointer);
        } else {
            nullable.pointer = nullptr;
        }
    }
    template <class T>
    void get(std::shared_ptr<const T>& pointer) {
        if (charge(sizeof(T))) {
            auto made = std::make_shared<T>();
            get(*made);
            pointer = std::move(made);
        }
    }
    template <class T>
    void get(std::optional<T>& value) {
        bool is_there = false;
        get(is_there);
        if (is_there) {
            get(value.emplace());
        } else {
            value.reset();
        }
    }
    template <class T>
    void get(Result<T>& result) {
        bool is_good = false;
        get(is_good);
        if (!is_good) {
            Error error;
            get(error);
            result = std::unexpected(std::move(error));
        } else if constexpr (std::is_void_v<T>) {
            result = {};
        } else {
            get(result.emplace());
        }
    }
    template <class A, class B>
    void get(std::pair<A, B>& pair) {
        get(pair.first);
        get(pair.second);
    }
    template <class T>
    void get(std::vector<T>& values) {
        values.clear();
        const std::uint64_t count = take_count();
        values.reserve(std::min(count, kReservedMax));
        for (std::uint64_t i = 0; i < count && charge(sizeof(T)); ++i) {
            get(values.emplace_back());
        }
    }
    void get(std::map<std::string, std::string>& values);
    void get(Attributes& attributes) {
        std::map<std::string, std::string> values;
        get(values);
        attributes = std::move(values);
    }
    void get(Boxes& boxes);
    template <class... T>
    void get(std::variant<T...>& value) {
        get_alternative(value, take_up_to(sizeof...(T) - 1), std::index_sequence_for<T...>{});
    }
    template <class V, std::size_t... I>
    void get_alternative(V& value, std::uint64_t which, std::index_sequence<I...> /*all*/) {
        ((which == I ? get(value.template emplace<I>()) : void()), ...);
    }
    // What a newer writer has put behind the fields known here is passed over.
    template <Struct T>
    void get(T& value) {
        if constexpr (kFinal<T>) {
            fields(*this, value);
        } else {
            const std::string_view body = take(take_varint());
            const std::string_view behind = std::exchange(rest_, body);
            fields(*this, value);
            rest_ = ok() ? behind : std::string_view();
        }
    }

    [[nodiscard]] std::uint64_t take_up_to(std::uint64_t most);
    [[nodiscard]] std::int64_t take_signed();
    // Of things that each take at least one byte.
    [[nodiscard]] std::uint64_t take_count();
    [[nodiscard]] std::string_view take(std::uint64_t size);
    [[nodiscard]] std::string take_text(std::uint64_t size);
    [[nodiscard]] std::string take_name();
    void take_interned(InternedText& text);
    struct KnownName;
    [[nodiscard]] KnownName* known_name(std::uint64_t code);
    [[nodiscard]] bool charge(std::size_t size);
    void fail_with(Errc code, const char* why);

    std::string_view rest_;  // of the innermost struct
    std::size_t memory_left_;
    bool plain_ = false;  // within added()
    std::optional<Error> fault_;
    std::uint64_t last_version_ = 0;
    struct KnownName {
        std::string_view text;
        InternedText interned;  // once it was wanted so
    };
    std::vector<KnownName> names_;
    std::vector<ServicePtr> services_;
};

}  // namespace muster::msg::codec
