#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "doors/native_codec/native_codec.h"
#include "model/publication.h"
#include "model/service.h"
#include "wire/native/fields.h"

namespace muster::native {

// Reads the values that several messages share, and counts what one message holds against the
// limits. One per message; `limits` must outlive it.
class ValueDecoder {
public:
    explicit ValueDecoder(const CodecLimits& limits) : limits_(limits) {}

    // Errors of all: bad_content, too_large, invalid_argument.
    [[nodiscard]] Result<void> count_item();

    [[nodiscard]] Result<RegistId> id(std::string_view bytes) const;
    [[nodiscard]] Result<std::string> name(std::string_view bytes, std::string_view what) const;
    [[nodiscard]] Result<Version> version(std::uint64_t raw) const;
    [[nodiscard]] Result<Scope> scope(std::uint64_t raw) const;
    [[nodiscard]] Result<SetDigest> digest(std::string_view bytes) const;

    // Equal services in a row are one value.
    [[nodiscard]] Result<ServicePtr> service(std::string_view bytes);

    // A publication as it is; in requests its service must be there and `client_address` is put in
    // place of what the client says, in pushes the service is that of the push.
    struct PublicationContext {
        ServicePtr service;  // null: in the publication
        InternedText client_address;
    };
    [[nodiscard]] Result<PublicationPtr> publication(std::string_view bytes,
                                                     const PublicationContext& context);

    // RegistrationRef, and the first fields of Subscription.
    struct Ref {
        RegistId id;
        ServicePtr service;
        RegistOrder order;
    };
    // Takes the field if it is one of those of a Ref.
    [[nodiscard]] Result<void> read_ref_field(const Field& field, Ref& ref);
    [[nodiscard]] Result<void> check_ref(const Ref& ref) const;
    [[nodiscard]] Result<Ref> ref(std::string_view bytes);

private:
    // A publication being read, and what of it is made at once.
    struct Parts {
        Publication* publication;
        std::vector<std::string_view> boxes;
        Attributes::Map attributes;
    };

    // What many publications of one message repeat: looked for once when they follow each other.
    struct LastText {
        std::string_view bytes;
        InternedText text;
    };
    [[nodiscard]] Result<void> check_name(std::string_view bytes, std::string_view what) const;
    [[nodiscard]] Result<InternedText> text(std::string_view bytes, std::string_view what,
                                            LastText& last) const;

    [[nodiscard]] Result<void> count_element();
    [[nodiscard]] Result<void> read_attribute(std::string_view bytes, Attributes::Map& attributes);
    [[nodiscard]] Result<void> read_publication_field(const Field& field,
                                                      const PublicationContext& context,
                                                      Parts& parts);

    const CodecLimits& limits_;
    std::size_t items_ = 0;
    std::size_t elements_ = 0;
    std::string_view last_service_bytes_;
    ServicePtr last_service_;
    LastText last_zone_;
    LastText last_app_;
};

// Whether a message may be so long. Errors: too_large.
[[nodiscard]] Result<void> check_size(std::string_view bytes, const CodecLimits& limits);

[[nodiscard]] std::unexpected<Error> malformed(std::string_view what);

}  // namespace muster::native

// Declares `name` with the value of `expr` (a Result) or returns its error.
#define MUSTER_ASSIGN(name, expr)                                 \
    auto name##_result = (expr);                                  \
    if (!name##_result) {                                         \
        return std::unexpected(std::move(name##_result).error()); \
    }                                                             \
    auto& name = *name##_result
