// SPDX-License-Identifier: Apache-2.0
// The types of the messages, by Modelina. Members keep the names that they have in JSON.
import { File } from "@asyncapi/generator-react-sdk";
import { TypeScriptGenerator } from "@asyncapi/modelina";

export default async function models({ asyncapi }) {
    const generator = new TypeScriptGenerator({ modelType: "interface", rawPropertyNames: true, enumType: "union" });
    const types = await generator.generate(asyncapi);
    return <File name="models.ts">{types.map(type => `export ${type.result}`).join("\n\n")}</File>;
}
