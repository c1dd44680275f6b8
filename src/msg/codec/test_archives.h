#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/prng.h"
#include "msg/codec/data_data_fields.h"
#include "msg/codec/history_fields.h"
#include "msg/codec/model_fields.h"
#include "msg/codec/node_meta_fields.h"
#include "msg/codec/propagation_fields.h"
#include "msg/codec/session_data_fields.h"
#include "msg/codec/verify_fields.h"

// For tests: two more archives over the same fields(). What a new message needs to travel is what
// it needs to be tested.
namespace muster::msg::codec {

// Fills structs with anything they may hold; names, services and versions come from few, so that
// they repeat.
class Filler {
public:
    static constexpr bool kReads = true;

    explicit Filler(std::uint64_t seed) : prng_(seed) {}

    template <class... Fields>
    void operator()(Fields&&... fields) {
        (fill(fields), ...);
    }
    template <class... Fields>
    void added(Fields&&... fields) {
        (fill(fields), ...);
    }

    // One message of the kind at `index` of the variant.
    [[nodiscard]] ClusterMessage message(std::size_t index) {
        return message(index, std::make_index_sequence<std::variant_size_v<ClusterMessage>>{});
    }

private:
    template <std::size_t... I>
    ClusterMessage message(std::size_t index, std::index_sequence<I...> /*all*/) {
        ClusterMessage made;
        ((I == index ? fields(*this, made.emplace<I>()) : void()), ...);
        return made;
    }

    void fill(bool& value) {
        value = prng_.chance(1, 2);
    }
    template <std::integral T>
    void fill(T& value) {
        value = static_cast<T>(prng_.next() >> prng_.below(64));
    }
    template <class T>
        requires std::is_enum_v<T>
    void fill(T& value) {
        value = static_cast<T>(prng_.below(static_cast<std::uint64_t>(LastOf<T>::value) + 1));
    }
    template <class Tag, class Rep>
    void fill(Id<Tag, Rep>& id) {
        Rep raw{};
        fill(raw);
        id = Id<Tag, Rep>(std::move(raw));
    }
    void fill(Version& version) {
        switch (prng_.below(5)) {
            case 0: version = Version(); break;
            case 1: version = Version(prng_.next()); break;
            case 2: version = last_version_; break;
            default: version = Version(last_version_.raw() + prng_.below(1U << 20U)); break;
        }
        last_version_ = version;
    }
    void fill(std::string& text) {
        switch (prng_.below(4)) {
            case 0: text.assign(prng_.below(300), static_cast<char>(prng_.next())); break;
            case 1: text = std::string("\0\xff\n", 3); break;
            case 2: text.assign(prng_.below(3), 'x'); break;
            default: text = "name-" + std::to_string(prng_.below(9)); break;
        }
    }
    template <class T>
    void fill(const Name<T>& named) {
        fill(named.text);
    }
    void fill(SetDigest& digest) {
        digest = {.low = prng_.next(), .high = prng_.next()};
    }
    void fill(Error& error) {
        error.code = static_cast<Errc>(prng_.below(static_cast<std::uint64_t>(Errc::internal) + 1));
        fill(error.detail);
    }
    void fill(ServicePtr& service) {
        const std::uint64_t number = prng_.below(6);
        service = std::make_shared<const Service>(
            Service{.tenant = number < 3 ? std::string(kDefaultTenant) : "tenant",
                    .group = number < 4 ? std::string(kDefaultGroup) : "group",
                    .data_id = "com.example.Service" + std::to_string(number)});
    }
    template <class T>
    void fill(std::shared_ptr<const T>& pointer) {
        auto made = std::make_shared<T>();
        fill(*made);
        pointer = std::move(made);
    }
    template <class T>
    void fill(const Nullable<T>& nullable) {
        if (prng_.chance(2, 3)) {
            fill(nullable.pointer);
        }
    }
    template <class T>
    void fill(std::optional<T>& value) {
        if (prng_.chance(2, 3)) {
            fill(value.emplace());
        }
    }
    template <class T>
    void fill(Result<T>& result) {
        if (prng_.chance(1, 2)) {
            Error error;
            fill(error);
            result = std::unexpected(std::move(error));
        } else if constexpr (!std::is_void_v<T>) {
            fill(result.emplace());
        }
    }
    template <class A, class B>
    void fill(std::pair<A, B>& pair) {
        fill(pair.first);
        fill(pair.second);
    }
    template <class T>
    void fill(std::vector<T>& values) {
        for (std::uint64_t left = prng_.below(5); left > 0; --left) {
            fill(values.emplace_back());
        }
    }
    void fill(InternedText& text) {
        std::string filled;
        fill(filled);
        text = filled;
    }
    void fill(Boxes& boxes) {
        std::vector<std::string> filled;
        fill(filled);
        boxes = filled;
    }
    void fill(Attributes& attributes) {
        std::map<std::string, std::string> filled;
        fill(filled);
        attributes = std::move(filled);
    }
    void fill(std::map<std::string, std::string>& values) {
        for (std::uint64_t left = prng_.below(4); left > 0; --left) {
            std::string key;
            fill(key);
            fill(values[key]);
        }
    }
    template <class... T>
    void fill(std::variant<T...>& value) {
        fill_one_of(value, prng_.below(sizeof...(T)), std::index_sequence_for<T...>{});
    }
    template <class V, std::size_t... I>
    void fill_one_of(V& value, std::uint64_t which, std::index_sequence<I...> /*all*/) {
        ((which == I ? fill(value.template emplace<I>()) : void()), ...);
    }
    template <Struct T>
    void fill(T& value) {
        fields(*this, value);
    }

    Prng prng_;
    Version last_version_;
};

// Tells every field as text, to compare messages by.
class Teller {
public:
    static constexpr bool kReads = false;

    template <class... Fields>
    void operator()(const Fields&... fields) {
        (tell(fields), ...);
    }
    template <class... Fields>
    void added(const Fields&... fields) {
        (tell(fields), ...);
    }

    [[nodiscard]] static std::string text_of(const ClusterMessage& message) {
        Teller teller;
        teller.tell(message);
        return std::move(teller.text_);
    }

private:
    template <class T>
        requires std::integral<T> || std::is_enum_v<T>
    void tell(T value) {
        text_ += std::to_string(static_cast<std::int64_t>(value)) + ",";
    }
    template <class Tag, class Rep>
    void tell(const Id<Tag, Rep>& id) {
        tell(id.raw());
    }
    void tell(const std::string& text) {
        text_ += "'" + text + "',";
    }
    template <class T>
    void tell(const Name<T>& named) {
        tell(named.text);
    }
    template <class T>
    void tell(const Nullable<T>& nullable) {
        tell(nullable.pointer != nullptr);
        if (nullable.pointer != nullptr) {
            tell(*nullable.pointer);
        }
    }
    void tell(const SetDigest& digest) {
        tell(digest.low);
        tell(digest.high);
    }
    void tell(const Error& error) {
        tell(error.code);
        tell(error.detail);
    }
    void tell(const Service& service) {
        tell(service.path());
    }
    template <class T>
    void tell(const std::shared_ptr<const T>& pointer) {
        tell(*pointer);
    }
    template <class T>
    void tell(const std::optional<T>& value) {
        tell(value.has_value());
        if (value) {
            tell(*value);
        }
    }
    template <class T>
    void tell(const Result<T>& result) {
        tell(result.has_value());
        if (!result) {
            tell(result.error());
        } else if constexpr (!std::is_void_v<T>) {
            tell(*result);
        }
    }
    template <class A, class B>
    void tell(const std::pair<A, B>& pair) {
        tell(pair.first);
        tell(pair.second);
    }
    template <class T>
    void tell(const std::vector<T>& values) {
        text_ += "[";
        for (const T& value : values) {
            tell(value);
        }
        text_ += "]";
    }
    void tell(const InternedText& text) {
        tell(std::string(text.view()));
    }
    void tell(const Boxes& boxes) {
        tell(std::vector<std::string>(boxes.begin(), boxes.end()));
    }
    void tell(const Attributes& attributes) {
        tell(attributes.map());
    }
    void tell(const std::map<std::string, std::string>& values) {
        text_ += "[";
        for (const auto& pair : values) {
            tell(pair);
        }
        text_ += "]";
    }
    template <class... T>
    void tell(const std::variant<T...>& value) {
        tell(value.index());
        std::visit([this](const auto& held) { this->tell(held); }, value);
    }
    template <Struct T>
    void tell(const T& value) {
        text_ += "{";
        fields(*this, value);
        text_ += "}";
    }

    std::string text_;
};

}  // namespace muster::msg::codec
