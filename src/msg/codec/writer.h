#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/result.h"
#include "model/publication.h"
#include "msg/codec/archive.h"

namespace muster::msg::codec {

// Appends values to bytes: the writing archive. One per message, which it refers to while it lives.
class Writer {
public:
    static constexpr bool kReads = false;

    explicit Writer(std::string& out) : out_(out) {}

    template <class... Fields>
    void operator()(const Fields&... fields) {
        (put(fields), ...);
    }
    template <class... Fields>
    void added(const Fields&... fields) {
        const bool was_plain = std::exchange(plain_, true);
        (put(fields), ...);
        plain_ = was_plain;
    }

    void put_varint(std::uint64_t value);

private:
    struct ByValue {
        [[nodiscard]] std::size_t operator()(const Service* service) const {
            return std::hash<Service>{}(*service);
        }
        [[nodiscard]] bool operator()(const Service* a, const Service* b) const {
            return a == b || *a == *b;
        }
    };

    void put(bool value) {
        out_.push_back(value ? '\1' : '\0');
    }
    template <std::unsigned_integral T>
    void put(T value) {
        put_varint(value);
    }
    template <std::signed_integral T>
    void put(T value) {
        put_signed(value);
    }
    template <class T>
        requires std::is_enum_v<T>
    void put(T value) {
        put_varint(static_cast<std::uint64_t>(value));
    }
    template <class Tag, std::unsigned_integral Rep>
    void put(const Id<Tag, Rep>& id) {
        put_varint(id.raw());
    }
    template <class Tag>
    void put(const Id<Tag, std::string>& id) {
        put_name(id.raw());
    }
    void put(const Version& version);
    void put(const std::string& text);
    template <class T>
    void put(const Name<T>& named) {
        put_name(named.text);
    }
    void put(const SetDigest& digest);
    void put(const Error& error);
    void put(const ServicePtr& service);
    template <class T>
    void put(const std::shared_ptr<const T>& pointer) {
        CHECK(pointer != nullptr);
        put(*pointer);
    }
    template <class T>
    void put(const std::optional<T>& value) {
        put(value.has_value());
        if (value) {
            put(*value);
        }
    }
    template <class T>
    void put(const Nullable<T>& nullable) {
        put(nullable.pointer != nullptr);
        if (nullable.pointer != nullptr) {
            put(*nullable.pointer);
        }
    }
    template <class T>
    void put(const Result<T>& result) {
        put(result.has_value());
        if (!result) {
            put(result.error());
        } else if constexpr (!std::is_void_v<T>) {
            put(*result);
        }
    }
    template <class A, class B>
    void put(const std::pair<A, B>& pair) {
        put(pair.first);
        put(pair.second);
    }
    template <class T>
    void put(const std::vector<T>& values) {
        put_varint(values.size());
        for (const T& value : values) {
            put(value);
        }
    }
    void put(const std::map<std::string, std::string>& values);
    void put(const Attributes& attributes) {
        put(attributes.map());
    }
    void put(const Boxes& boxes);
    template <class... T>
    void put(const std::variant<T...>& value) {
        put_varint(value.index());
        std::visit([this](const auto& held) { this->put(held); }, value);
    }
    // A struct with fields of its own, its length before it unless it is final.
    template <Struct T>
    void put(const T& value) {
        if constexpr (kFinal<T>) {
            fields(*this, value);
        } else {
            const std::size_t at = open_struct();
            fields(*this, value);
            close_struct(at);
        }
    }

    void put_signed(std::int64_t value);
    void put_name(std::string_view text);
    struct RecentName;
    [[nodiscard]] RecentName& recent_name(std::string_view text);
    [[nodiscard]] std::size_t open_struct();
    void close_struct(std::size_t at);

    std::string& out_;
    bool plain_ = false;  // within added()
    std::uint64_t last_version_ = 0;
    std::unordered_map<std::string_view, std::uint64_t> names_;
    // Names entered lately, by where they stand: texts that many share are not hashed again.
    struct RecentName {
        const char* at = nullptr;
        std::size_t size = 0;
        std::uint64_t number = 0;
    };
    std::array<RecentName, 16> recent_names_;
    const Service* last_service_ = nullptr;
    std::uint64_t last_service_number_ = 0;
    std::unordered_map<const Service*, std::uint64_t, ByValue, ByValue> services_;
};

}  // namespace muster::msg::codec
