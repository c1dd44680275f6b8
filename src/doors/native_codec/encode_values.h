#pragma once

#include "base/hash.h"
#include "model/publication.h"
#include "model/service.h"
#include "wire/native/fields.h"

namespace muster::native {

void write_service(FieldWriter& writer, std::uint32_t number, const Service& service);
void write_digest(FieldWriter& writer, std::uint32_t number, const SetDigest& digest);
void write_order(FieldWriter& writer, std::uint32_t first_number, const RegistOrder& order);

// Whether a publication is written with its service: in requests, not in pushes.
enum class WithService : bool { no, yes };
void write_publication(FieldWriter& writer, std::uint32_t number, const Publication& publication,
                       WithService with_service);

// About the bytes of a publication without its service.
[[nodiscard]] std::size_t size_hint(const Publication& publication);

}  // namespace muster::native
